import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Idempotency keys. `owner` is text, so that whatever a token will name fits. `digest` is null while the input of the job is still coming.
 * A job has one key at most; by `job` it goes with its job, by `created_at` after its time.
 */
const up = [
  `create table submission_keys (
    owner text not null, key text not null, job text not null, digest text,
    created_at bigint not null default (extract(epoch from clock_timestamp()) * 1000)::bigint,
    primary key (owner, key)
  )`,
  `create unique index submission_keys_job on submission_keys (job)`,
  `create index submission_keys_created on submission_keys (created_at)`,
];

export class SubmissionKeys implements MigrationInterface {
  readonly name = 'SubmissionKeys1763856100000';
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table submission_keys');
  }
}
