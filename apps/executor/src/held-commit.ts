import {
  type Assignment,
  type CommitRequest,
  type OutputRow,
  assignmentSchema,
  commitPart,
  outputRowSchema,
} from '@das/contracts';
import type { SpoolFile } from '@das/execution';
import { z } from 'zod';

/** A commit that was not answered, with all that is needed to make it in another life of this service. */
export interface HeldCommit {
  readonly assignment: Assignment;
  /** Names the life of the attempt, whose staged rows it will find; without rows of its own. */
  readonly request: CommitRequest;
  readonly items: number;
  readonly traceparent?: string | undefined;
  /** What the store is not known to have, in order, and their bytes. */
  readonly rows: readonly OutputRow[];
  readonly raw: readonly Uint8Array[];
}
export type HeldHead = Omit<HeldCommit, 'raw'>;

/** Rows of at least a byte each, as many as a file's head may name. */
const rowsMax = 1_000_000;
const version = 1;

const headSchema = z.object({
  version: z.literal(version),
  assignment: assignmentSchema,
  request: commitPart.request,
  items: z.number().int().min(0),
  traceparent: z.string().max(256).optional(),
  rows: z.array(outputRowSchema).max(rowsMax),
});

export function fileOf({ raw, ...head }: HeldCommit): SpoolFile {
  return { head: JSON.stringify({ version, ...head }), raw };
}

/** Undefined: another version of this service wrote it, or somebody else. */
export function headFrom(text: string): HeldHead | undefined {
  const { success, data } = headSchema.safeParse(parsed(text));
  if (!success) return undefined;
  const { version: _, ...head } = data;
  return head;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
