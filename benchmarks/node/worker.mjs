// One BullMQ worker process. With BENCH_HISTORY each execution is kept in PostgreSQL as a careful
// project would: a row that is inserted, set to running and to its end, and a line of log.
import pg from 'pg';
import { Worker } from 'bullmq';
import { QUEUE, append, connection, now, pause } from './platform.mjs';

const concurrency = Number(process.env.BENCH_SLOTS);
const careful = { lockDuration: 5000, stalledInterval: 5000, maxStalledCount: 3 };
const pool = process.env.BENCH_HISTORY
  ? new pg.Pool({ connectionString: process.env.DATABASE_URL, max: concurrency })
  : null;

const STATEMENTS = {
  insert: `INSERT INTO execution (job_id, status, attempt, created_at)
           VALUES ($1, 'queued', $2, now()) RETURNING id`,
  begin: "UPDATE execution SET status = 'running', started_at = now(), worker = $2 WHERE id = $1",
  end: "UPDATE execution SET status = 'succeeded', finished_at = now(), result = $2 WHERE id = $1",
  log: `INSERT INTO execution_log (execution_id, level, message, at)
        VALUES ($1, 'info', $2, now())`,
};
const run = (name, values) => pool.query({ name, text: STATEMENTS[name], values });

async function work({ index, submitted, milliseconds }) {
  const started = now();
  if (!milliseconds) return append(index, submitted, started, started);
  append(index, submitted, started, 0);
  await pause(milliseconds);
  return append(index, submitted, started, now());
}

async function remembered(job) {
  const inserted = await run('insert', [job.data.index, job.attemptsMade + 1]);
  const { id } = inserted.rows[0];
  await run('begin', [id, `pid ${process.pid}`]);
  await work(job.data);
  await run('end', [id, JSON.stringify({ ok: true })]);
  await run('log', [id, 'finished']);
}

new Worker(QUEUE, pool ? remembered : (job) => work(job.data), {
  connection,
  concurrency,
  removeOnComplete: { count: 1000 },
  ...(process.env.BENCH_BEST ? careful : {}),
}).on('error', (error) => console.error(error.message));
