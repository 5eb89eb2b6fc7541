import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The tables as TypeORM sees them. Their truth is in migrations.ts; a test compares the two. Paths that run per part use SQL. */

@Entity('jobs')
export class JobEntity {
  @PrimaryColumn({ type: 'int', generated: 'identity', generatedIdentity: 'ALWAYS' }) no!: number;
  @Column('text') id!: string;
  @Column('text') state!: string;
  @Column('int') generation!: number;
  @Column('boolean') sealed!: boolean;
  @Column('bigint') items!: number;
  @Column('bigint') cut!: number;
  @Column('int') retries!: number;
  @Column('boolean') reduces!: boolean;
  @Column('text') code!: string;
  @Column('text') spec!: string;
  @Column('text', { nullable: true }) failure!: string | null;
  @Column('bigint', { name: 'created_at' }) createdAt!: number;
  @Column('bigint', { name: 'touched_at' }) touchedAt!: number;
  @Column('bigint', { name: 'finished_at', nullable: true }) finishedAt!: number | null;
  @Column('boolean', { name: 'on_success' }) onSuccess!: boolean;
  @Column('boolean', { name: 'on_failure' }) onFailure!: boolean;
  @Column('json', { nullable: true }) decision!: object | null;
  @Column('text', { name: 'hook_failure', nullable: true }) hookFailure!: string | null;
  @Column('boolean', { name: 'ran_landlock' }) ranLandlock!: boolean;
  @Column('boolean', { name: 'ran_none' }) ranNone!: boolean;
}

/** A deleted job whose rows elsewhere may still be there. */
@Entity('gone_jobs')
export class GoneJobEntity {
  @PrimaryColumn('int') no!: number;
}

/** A row that belongs to one life of a job's items. */
abstract class GenerationEntity {
  @PrimaryColumn('int', { name: 'job_no' }) jobNo!: number;
  @PrimaryColumn('smallint') generation!: number;
}

/** NDJSON of a run of items, compressed (`packed`) where that pays; `bytes` counts what it unpacks to. */
abstract class LinesEntity extends GenerationEntity {
  @Column('bigint', { name: 'to_item' }) toItem!: number;
  @Column('int') bytes!: number;
  @Column('boolean') packed!: boolean;
  @Column('bytea') data!: Buffer;
}

@Entity('blocks')
export class BlockEntity extends LinesEntity {
  @PrimaryColumn('int') no!: number;
  @Column('bigint', { name: 'from_item' }) fromItem!: number;
  @Column('text') digest!: string;
}

/** What names a part within the cluster. */
abstract class PartKeyEntity extends GenerationEntity {
  @PrimaryColumn('smallint') kind!: number;
  @PrimaryColumn('bigint', { name: 'from_item' }) fromItem!: number;
  @PrimaryColumn('bigint', { name: 'to_item' }) toItem!: number;
  @PrimaryColumn('smallint') tries!: number;
  /** The part's attempts: see codes.ts. */
  @Column('text') attempts!: string;
}

@Entity('open_parts')
export class OpenPartEntity extends PartKeyEntity {
  @Column('boolean') staged!: boolean;
  @Column('text') avoid!: string;
}

@Entity('parts')
export class PartEntity extends PartKeyEntity {
  @Column('real', { name: 'busy_ms' }) busyMs!: number;
  @Column('smallint') state!: number;
  @Column('boolean') fatal!: boolean;
  @Column('text') failure!: string;
}

/** A row of output and its place among those of its job. */
abstract class OutputRowEntity extends LinesEntity {
  @PrimaryColumn('smallint') kind!: number;
  @PrimaryColumn('smallint') bucket!: number;
  @PrimaryColumn('bigint', { name: 'from_item' }) fromItem!: number;
  @PrimaryColumn('int') seq!: number;
}

@Entity('outputs')
export class OutputEntity extends OutputRowEntity {
  @Column('boolean') failed!: boolean;
}

/** Sent ahead by an attempt (of a part, in one of its runs) that has not committed. */
@Entity('staged_outputs')
export class StagedOutputEntity extends OutputRowEntity {
  @PrimaryColumn('smallint', { name: 'part_kind' }) partKind!: number;
  @PrimaryColumn('bigint', { name: 'part_from' }) partFrom!: number;
  @PrimaryColumn('bigint', { name: 'part_to' }) partTo!: number;
  @PrimaryColumn('smallint', { name: 'part_tries' }) partTries!: number;
  @PrimaryColumn('int') attempt!: number;
  @PrimaryColumn('text') run!: string;
}

@Entity('blobs')
export class BlobEntity {
  @PrimaryColumn('text') digest!: string;
  @PrimaryColumn('int') chunk!: number;
  @Column('bigint', { name: 'touched_at' }) touchedAt!: number;
  @Column('bytea') data!: Buffer;
  @Column('boolean') packed!: boolean;
}

/** A code bundle of which all chunks are stored. */
@Entity('bundles')
export class BundleEntity {
  @PrimaryColumn('text') digest!: string;
  @Column('bigint') bytes!: number;
  @Column('bigint', { name: 'touched_at' }) touchedAt!: number;
  @Column('int') files!: number;
  @Column('int') chunks!: number;
}

@Entity('leadership_term')
export class TermEntity {
  @PrimaryColumn('smallint') id!: number;
  @Column('bigint') term!: number;
  @Column('text', { nullable: true }) leader!: string | null;
}

@Entity('leadership_renewal')
export class RenewalEntity {
  @PrimaryColumn('smallint') id!: number;
  @Column('bigint', { name: 'renewed_at' }) renewedAt!: number;
}

/** A lock of users; without a holder it was released. */
@Entity('user_locks')
export class UserLockEntity {
  @PrimaryColumn('text') name!: string;
  @Column('bigint') fence!: number;
  @Column('bigint') until!: number;
  @Column('text', { nullable: true }) holder!: string | null;
}

@Entity('fence_floor')
export class FenceFloorEntity {
  @PrimaryColumn('smallint') id!: number;
  @Column('bigint') fence!: number;
}

@Entity('outbox')
export class OutboxEntity {
  @PrimaryColumn({ type: 'bigint', generated: 'identity', generatedIdentity: 'ALWAYS' }) seq!: number;
  @Column('text') event!: string;
}

/** What a submission that is sent again is known by. */
@Entity('submission_keys')
export class SubmissionKeyEntity {
  @PrimaryColumn('text') owner!: string;
  @PrimaryColumn('text') key!: string;
  @Column('text') job!: string;
  @Column('text', { nullable: true }) digest!: string | null;
  @Column('bigint', { name: 'created_at' }) createdAt!: number;
}

export const entities = [
  ...[JobEntity, GoneJobEntity, BlockEntity, OpenPartEntity, PartEntity, OutputEntity, StagedOutputEntity],
  ...[BlobEntity, BundleEntity, TermEntity, RenewalEntity, OutboxEntity],
  ...[UserLockEntity, FenceFloorEntity, SubmissionKeyEntity],
];
