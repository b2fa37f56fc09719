// The tables of BullMQ's history, in an empty database.
import pg from 'pg';

const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
await client.query(`
  CREATE TABLE execution (
    id bigserial PRIMARY KEY, job_id bigint NOT NULL, status text NOT NULL, attempt int NOT NULL,
    worker text, result jsonb, created_at timestamptz NOT NULL, started_at timestamptz,
    finished_at timestamptz
  );
  CREATE INDEX ON execution (job_id);
  CREATE INDEX ON execution (status);
  CREATE TABLE execution_log (
    id bigserial PRIMARY KEY, execution_id bigint NOT NULL REFERENCES execution (id),
    level text NOT NULL, message text NOT NULL, at timestamptz NOT NULL
  );
  CREATE INDEX ON execution_log (execution_id);
`);
await client.end();
