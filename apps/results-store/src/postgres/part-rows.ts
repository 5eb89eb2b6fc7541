import type { AttemptRef, Failure } from '@das/contracts';
import { type StoredPart, freshPart, parsePartId } from '@das/jobs';
import type { NodeId, PartId } from '@das/kernel';
import {
  attemptsOf,
  attemptsText,
  partKindCode,
  partKinds,
  settledCode,
  settledStates,
  wordOf,
} from '../database/codes.js';
import type { Query } from '../database/database.js';

/** Names a part's row; as JSON it is the argument of the statements below. */
export interface PartKey {
  readonly j: number;
  readonly g: number;
  readonly k: number;
  readonly f: number;
  readonly t: number;
  readonly r: number;
}
const keyRecord = 'j int, g smallint, k smallint, f bigint, t bigint, r smallint';
const nameMatch = 'p.generation = x.g and p.kind = x.k and p.from_item = x.f and p.to_item = x.t and p.tries = x.r';
const keyMatch = `p.job_no = x.j and ${nameMatch}`;
const keyOrder = 'p.job_no, p.generation, p.kind, p.from_item, p.to_item, p.tries';

/** @returns undefined for an id that no part can have. */
export function keyOf(jobNo: number, generation: number, part: PartId): PartKey | undefined {
  const name = parsePartId(part);
  return name && { j: jobNo, g: generation, k: partKindCode(name.kind), f: name.from, t: name.to, r: name.tries };
}
export const keyOfPart = (jobNo: number, generation: number, { kind, from, to, tries }: StoredPart): PartKey => ({
  ...{ j: jobNo, g: generation, k: partKindCode(kind), f: from, t: to, r: tries },
});

interface KeyRow {
  readonly job_no: number;
  readonly generation: number;
  readonly kind: number;
  readonly from_item: number;
  readonly to_item: number;
  readonly tries: number;
  readonly attempts: string;
}
export interface OpenRow extends KeyRow {
  readonly avoid: string;
  readonly staged: boolean;
}
export interface SettledRow extends KeyRow {
  readonly state: number;
  readonly busy_ms: number;
  readonly fatal: boolean;
  readonly failure: string;
}

/** A part with where it is stored. */
export interface FoundPart {
  readonly jobNo: number;
  readonly generation: number;
  readonly part: StoredPart;
  /** Rows were sent ahead of the commit. */
  readonly staged: boolean;
}

export function openPart(row: OpenRow): StoredPart {
  const attempts = attemptsOf(row.attempts);
  const state = attempts.some((a) => a.state === 'live') ? 'assigned' : 'pending';
  return { ...bare(row), state, attempts, ...(row.avoid !== '' && { avoid: row.avoid as NodeId }) };
}

export function settledPart(row: SettledRow): StoredPart {
  const failure = row.failure === '' ? {} : { failure: JSON.parse(row.failure) as Failure };
  const state = wordOf(settledStates, row.state);
  const fatal = row.fatal ? { fatal: true } : {};
  return { ...bare(row), state, attempts: attemptsOf(row.attempts), busyMs: row.busy_ms, ...failure, ...fatal };
}

const bare = (row: KeyRow): StoredPart => freshPart(wordOf(partKinds, row.kind), row.from_item, row.to_item, row.tries);

const found = (row: KeyRow, part: StoredPart, staged: boolean): FoundPart => ({
  ...{ jobNo: row.job_no, generation: row.generation, part, staged },
});

/** Locks open parts in one order, whoever asks. Those that are not open are left out. */
export async function lockOpenParts(query: Query, keys: readonly PartKey[]): Promise<FoundPart[]> {
  const text = `select p.* from json_to_recordset($1::json) as x(${keyRecord}) join open_parts p on ${keyMatch}
    order by ${keyOrder} for update of p`;
  const rows = await query<OpenRow>(text, [JSON.stringify(keys)], 'lock-open-parts');
  return rows.map((row) => found(row, openPart(row), row.staged));
}

/** As {@link lockOpenParts}; asks for no number of a job, so that it travels with the statement that locks the jobs. */
export async function lockPartsOf(query: Query, attempts: readonly AttemptRef[]): Promise<FoundPart[]> {
  const names = attempts.flatMap(({ job, generation, part }) => {
    const key = keyOf(0, generation, part);
    return key ? [{ ...key, i: job }] : [];
  });
  const text = `select p.* from json_to_recordset($1::json) as x(${keyRecord}, i text) join jobs n on n.id = x.i
    join open_parts p on p.job_no = n.no and ${nameMatch} order by ${keyOrder} for update of p`;
  const rows = await query<OpenRow>(text, [JSON.stringify(names)], 'lock-parts-of');
  return rows.map((row) => found(row, openPart(row), row.staged));
}

/** Open parts, without a lock: for those who hold the job's. */
export async function findOpenParts(query: Query, keys: readonly PartKey[]): Promise<FoundPart[]> {
  const text = `select p.* from json_to_recordset($1::json) as x(${keyRecord}) join open_parts p on ${keyMatch}`;
  const rows = await query<OpenRow>(text, [JSON.stringify(keys)], 'find-open-parts');
  return rows.map((row) => found(row, openPart(row), row.staged));
}

/** Ended parts; they never change. */
export async function findSettledParts(query: Query, keys: readonly PartKey[]): Promise<FoundPart[]> {
  if (keys.length === 0) return [];
  const text = `select p.* from json_to_recordset($1::json) as x(${keyRecord}) join parts p on ${keyMatch}`;
  const rows = await query<SettledRow>(text, [JSON.stringify(keys)], 'find-settled-parts');
  return rows.map((row) => found(row, settledPart(row), false));
}

/** The part of an attempt, if it is open. */
export async function openPartOfAttempt(
  query: Query,
  jobNo: number,
  attempt: AttemptRef,
): Promise<StoredPart | undefined> {
  const key = keyOf(jobNo, attempt.generation, attempt.part);
  return key && (await findOpenParts(query, [key]))[0]?.part;
}

/** A part as an argument of the statements that write. */
export const openJson = (key: PartKey, part: StoredPart) => ({
  ...key,
  a: attemptsText(part.attempts),
  v: part.avoid ?? '',
});
export const settledJson = (key: PartKey, part: StoredPart) => ({
  ...key,
  a: attemptsText(part.attempts),
  s: settledCode(part.state),
  b: part.busyMs ?? 0,
  z: part.fatal ?? false,
  w: part.failure ? JSON.stringify(part.failure) : '',
});

/** Common table expressions: each takes a JSON array as the numbered parameter. */
export const sql = {
  insertOpen: (
    n: number,
  ) => `insert into open_parts (job_no, generation, kind, from_item, to_item, tries, attempts, avoid)
    select j, g, k, f, t, r, a, v from json_to_recordset($${n}::json) as x(${keyRecord}, a text, v text) on conflict do nothing`,
  updateOpen: (n: number) => `update open_parts p set attempts = x.a
    from json_to_recordset($${n}::json) as x(${keyRecord}, a text, v text) where ${keyMatch}`,
  deleteOpen: (n: number) =>
    `delete from open_parts p using json_to_recordset($${n}::json) as x(${keyRecord}) where ${keyMatch}`,
  insertSettled: (
    n: number,
  ) => `insert into parts (job_no, generation, kind, from_item, to_item, tries, attempts, state, busy_ms, fatal, failure)
    select j, g, k, f, t, r, a, s, b, z, w
    from json_to_recordset($${n}::json) as x(${keyRecord}, a text, s smallint, b real, z boolean, w text)`,
};
