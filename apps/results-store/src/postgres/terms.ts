import type { NodeId } from '@das/kernel';
import type { Database } from '../database/database.js';
import { nowMs } from './job-rows.js';
import type { Answer, Ask } from './operations.js';

interface TermRow {
  readonly term: number;
  readonly leader: NodeId | null;
}
const termOf = ({ term, leader }: TermRow) => ({ term, ...(leader !== null && { leader }) });

/** Compare and set on the one row. Waits for the acts of the old leader that are in flight (their share lock): after the grant none of them is written. */
export async function claimTerm(db: Database, { node, above }: Ask<'claimTerm'>): Answer<'claimTerm'> {
  const [granted] = await db.query<TermRow>(
    `with renewed as (update leadership_renewal set renewed_at = ${nowMs}
       where exists (select 1 from leadership_term where id = 1 and term = $2))
     update leadership_term set term = term + 1, leader = $1 where id = 1 and term = $2 returning term, leader`,
    [node, above],
  );
  if (granted) return { ...termOf(granted), granted: true };
  const current = await read(db);
  // The same claim again, its answer lost.
  return { ...termOf(current), granted: current.term === above + 1 && current.leader === node };
}

export async function renewTerm(db: Database, { node, term }: Ask<'renewTerm'>): Answer<'renewTerm'> {
  const [held] = await db.query(
    `update leadership_renewal set renewed_at = ${nowMs}
     where id = 1 and exists (select 1 from leadership_term where id = 1 and term = $2 and leader = $1) returning id`,
    [node, term],
    'renew-term',
  );
  if (held) return { term, leader: node, held: true };
  return { ...termOf(await read(db)), held: false };
}

export async function currentTerm(db: Database): Answer<'currentTerm'> {
  const row = await read(db);
  return { ...termOf(row), renewedAgoMs: row.ago };
}

async function read(db: Database): Promise<TermRow & { readonly ago: number }> {
  const [row] = await db.query<TermRow & { ago: number }>(
    `select term, leader, greatest(0, ${nowMs} - renewed_at) as ago
     from leadership_term t join leadership_renewal r on t.id = 1 and r.id = 1`,
    [],
    'read-term',
  );
  return row ?? { term: 0, leader: null, ago: 0 };
}
