// What BullMQ's worker and client share: the connection, the clock, the file of records.
import fs from 'node:fs';
import { performance } from 'node:perf_hooks';

const RECORD_BYTES = 40;
const broker = new URL(process.env.REDIS_URL);
let file;

export const QUEUE = 'bench';
export const connection = {
  host: broker.hostname,
  port: Number(broker.port),
  password: decodeURIComponent(broker.password),
  maxRetriesPerRequest: null,
};

// Unix time in seconds, finer than a millisecond.
export const now = () => (performance.timeOrigin + performance.now()) / 1000;
export const pause = (milliseconds) => new Promise((wake) => setTimeout(wake, milliseconds));

export function append(index, submitted, started, ended) {
  file ??= fs.openSync(process.env.BENCH_RECORDS, 'a');
  const bytes = Buffer.allocUnsafe(RECORD_BYTES);
  bytes.writeBigInt64LE(BigInt(index), 0);
  bytes.writeBigInt64LE(BigInt(process.pid), 8);
  [submitted, started, ended].forEach((instant, place) => bytes.writeDoubleLE(instant, 16 + 8 * place));
  fs.writeSync(file, bytes);
}
