import type { MigrationInterface, QueryRunner } from 'typeorm';
import { UserLocks } from './migration-locks.js';
import { SubmissionKeys } from './migration-submission-keys.js';
import { Bundles } from './migration-bundles.js';
import { Sandboxes } from './migration-sandboxes.js';
import { Outcome } from './migration-outcome.js';

/** Milliseconds by the database's clock: the one clock that all store instances share. */
const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

/**
 * Rows that exist per part are laid out for size: fixed-width columns first and by falling width, no nulls (a null costs a row 8 bytes),
 * the job as a number. Open parts are few and change; ended parts are many and never do: two tables, so that neither bloats the other.
 */
const up = [
  `create table jobs (
    no integer generated always as identity primary key,
    id text not null, state text not null, generation integer not null default 1, sealed boolean not null,
    items bigint not null, cut bigint not null default 0, retries integer not null, reduces boolean not null,
    code text not null, spec text not null, failure text,
    created_at bigint not null default ${now}, touched_at bigint not null default ${now}, finished_at bigint
  ) with (fillfactor = 50)`,
  // Jobs that nobody sees any more, whose rows in the other tables are still to be deleted.
  `create table gone_jobs (no integer primary key)`,
  `create unique index jobs_id on jobs (id)`,
  `create index jobs_created on jobs (created_at, id)`,
  `create index jobs_open on jobs (created_at, id) where finished_at is null`,
  `create index jobs_finished on jobs (finished_at) where finished_at is not null`,
  `create index jobs_code on jobs (code)`,

  `create table blocks (
    from_item bigint not null, to_item bigint not null, job_no integer not null, no integer not null, bytes integer not null,
    generation smallint not null, packed boolean not null, digest text not null, data bytea not null,
    primary key (job_no, generation, no)
  )`,
  `create index blocks_items on blocks (job_no, generation, to_item)`,

  `create table open_parts (
    from_item bigint not null, to_item bigint not null, job_no integer not null,
    generation smallint not null, kind smallint not null, tries smallint not null, staged boolean not null default false,
    avoid text not null default '', attempts text not null,
    primary key (job_no, generation, kind, from_item, to_item, tries)
  ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000)`,

  `create table parts (
    from_item bigint not null, to_item bigint not null, job_no integer not null, busy_ms real not null,
    generation smallint not null, kind smallint not null, tries smallint not null, state smallint not null,
    fatal boolean not null, attempts text not null, failure text not null,
    primary key (job_no, generation, kind, from_item, to_item, tries)
  )`,
  // 0 is `committed`: counts come from the few that are not.
  `create index parts_uncommitted on parts (job_no, generation, from_item) where state <> 0`,

  `create index parts_fatal on parts (job_no, generation, from_item) where fatal`,

  `create table outputs (
    from_item bigint not null, to_item bigint not null, job_no integer not null, seq integer not null, bytes integer not null,
    generation smallint not null, kind smallint not null, bucket smallint not null,
    packed boolean not null, failed boolean not null, data bytea not null,
    primary key (job_no, generation, kind, bucket, from_item, seq)
  )`,
  `create table staged_outputs (
    part_from bigint not null, part_to bigint not null, from_item bigint not null, to_item bigint not null,
    job_no integer not null, attempt integer not null, seq integer not null, bytes integer not null,
    generation smallint not null, part_kind smallint not null, part_tries smallint not null,
    kind smallint not null, bucket smallint not null, packed boolean not null, run text not null default '', data bytea not null,
    primary key (job_no, generation, part_kind, part_from, part_to, part_tries, attempt, run, kind, bucket, from_item, seq)
  )`,
  `create table blobs (
    digest text not null, chunk integer not null, touched_at bigint not null default ${now}, data bytea not null,
    primary key (digest, chunk)
  )`,

  // What is packed here already must not be compressed a second time.
  ...['blocks', 'outputs', 'staged_outputs', 'blobs'].map(
    (t) => `alter table ${t} alter column data set storage external`,
  ),

  // The renewal is apart from the term: renewing must not wait for the share locks that every act of a leader takes.
  `create table leadership_term (id smallint primary key, term bigint not null, leader text)`,
  `create table leadership_renewal (id smallint primary key, renewed_at bigint not null)`,
  `insert into leadership_term values (1, 0, null)`,
  `insert into leadership_renewal values (1, ${now})`,

  `create table outbox (seq bigint generated always as identity primary key, event text not null)
    with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000)`,
];

const tables = [
  'gone_jobs',
  'outbox',
  'leadership_renewal',
  'leadership_term',
  'blobs',
  'staged_outputs',
  'outputs',
  'parts',
];
const down = [...tables, 'open_parts', 'blocks', 'jobs'].map((table) => `drop table ${table}`);

class Initial implements MigrationInterface {
  readonly name = 'Initial1763769600000';
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }
  async down(runner: QueryRunner): Promise<void> {
    for (const statement of down) await runner.query(statement);
  }
}

/** In order; each runs once in a database. Never change one that was released: append another. */
export const migrations = [Initial, UserLocks, SubmissionKeys, Outcome, Bundles, Sandboxes];
