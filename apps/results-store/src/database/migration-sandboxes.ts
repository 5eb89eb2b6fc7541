import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which weaker sandboxes parts of a job ran in. Of jobs that are there already nobody knows; adding constant columns rewrites no row. */
export class Sandboxes implements MigrationInterface {
  readonly name = 'Sandboxes1764115200000';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `alter table jobs add column ran_landlock boolean not null default false, add column ran_none boolean not null default false`,
    );
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table jobs drop column ran_landlock, drop column ran_none');
  }
}
