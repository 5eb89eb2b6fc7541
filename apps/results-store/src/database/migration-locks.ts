import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Locks of users. `holder`: null once released, else JSON. A name that nobody took for long is deleted; the floor keeps the highest
 * fence of all such names, so that no fence ever falls. It is a table of its own: taking a lock never touches it but for a new name.
 */
const up = [
  `create table user_locks (
    name text primary key, fence bigint not null, until bigint not null, holder text
  ) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000)`,
  `create index user_locks_until on user_locks (until)`,
  `create table fence_floor (id smallint primary key, fence bigint not null)`,
  `insert into fence_floor values (1, 0)`,
];
const down = ['drop table fence_floor', 'drop table user_locks'];

export class UserLocks implements MigrationInterface {
  readonly name = 'UserLocks1763856000000';
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }
  async down(runner: QueryRunner): Promise<void> {
    for (const statement of down) await runner.query(statement);
  }
}
