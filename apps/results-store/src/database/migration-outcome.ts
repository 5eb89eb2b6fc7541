import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A job's hooks, how it was decided, and why its hook failed. Jobs that are there already have none of these; adding constant columns rewrites no row. */
export class Outcome implements MigrationInterface {
  readonly name = 'Outcome1763942400000';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `alter table jobs add column on_success boolean not null default false, add column on_failure boolean not null default false,
       add column decision json, add column hook_failure text`,
    );
  }
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      'alter table jobs drop column on_success, drop column on_failure, drop column decision, drop column hook_failure',
    );
  }
}
