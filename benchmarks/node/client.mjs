// Submits to BullMQ; obeys lines of JSON as benchmarks/apps/client.py does.
import readline from 'node:readline';
import { Queue } from 'bullmq';
import { QUEUE, connection, now, pause } from './platform.mjs';

const TICK = -7;
const AT_ONCE = 50; // schedules that are made at the same time
const queue = new Queue(QUEUE, { connection });
const options = { removeOnComplete: true };
const data = (index, submitted, milliseconds = 0) => ({ index, submitted, milliseconds });

function schedule(index, due, every) {
  const repeat = { every: every * 1000, ...(due ? { startDate: due * 1000 } : {}) };
  const template = { name: 'job', data: data(index, 0), opts: options };
  return queue.upsertJobScheduler(`schedule ${index}`, repeat, template);
}

const verbs = {
  start: () => queue.waitUntilReady(),
  async burst(count, first = 0, milliseconds = 0) {
    for (let index = first; index < first + count; index += 1) {
      await queue.add('job', data(index, now(), milliseconds), options);
    }
  },
  async paced(count, gap) {
    let due = now();
    for (let index = 0; index < count; index += 1) {
      if (due > now()) await pause((due - now()) * 1000);
      await queue.add('job', data(index, now()), options);
      due += gap;
    }
  },
  async at(count, due) {
    for (let index = 0; index < count; index += 1) {
      const delay = Math.max(0, Math.round((due - now()) * 1000));
      await queue.add('job', data(index, due), { ...options, delay });
    }
  },
  tick: (seconds) => schedule(TICK, 0, seconds),
  async fill(count, every, first, rate) {
    for (let from = 0; from < count; from += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, place) => from + place);
      await Promise.all(some.map((index) => schedule(index, first + index / rate, every)));
    }
  },
  add: (index, due, every) => schedule(index, due, every),
};

async function answer(verb, args) {
  const told = { began: now(), result: null, error: '' };
  try {
    await verbs[verb](...args);
  } catch (error) {
    told.error = String(error).slice(0, 500);
  }
  told.ended = now();
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

await answer('start', []);
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { verb, args } = JSON.parse(line);
  await answer(verb, args);
}
process.exit(0);
