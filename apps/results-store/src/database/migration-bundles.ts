import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Code bundles that are stored whole. Blobs that are there already are scripts, which are not compressed; adding a constant column rewrites no row. */
export class Bundles implements MigrationInterface {
  readonly name = 'Bundles1764028800000';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table blobs add column packed boolean not null default false');
    await runner.query(
      `create table bundles (
         digest text primary key, bytes bigint not null,
         touched_at bigint not null default (extract(epoch from clock_timestamp()) * 1000)::bigint,
         files integer not null, chunks integer not null
       )`,
    );
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table bundles');
    await runner.query('alter table blobs drop column packed');
  }
}
