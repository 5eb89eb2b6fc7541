import type { AttemptFinished, CommitReply, CommitRequest, Failure } from '@das/contracts';

/** A commit as it is to be sent, without its output. */
export interface Commit {
  readonly request: CommitRequest;
  /** Output of a step that failed is worth nothing. */
  readonly keepsOutput: boolean;
  readonly items: number;
}

/** What the store said of a commit: of the one that was to be sent, or of the refusal that took its place. */
export interface Judged {
  readonly commit: Pick<Commit, 'request' | 'items'>;
  readonly reply: CommitReply;
}

/** The commit of a part that failed as a whole, whatever the one before it said. */
export function fatalCommit({ attempt, node, run, sandbox }: CommitRequest, failure: Failure): Commit {
  const fatal = { ...failure, part: attempt.part, node };
  const request = { attempt, node, run, sandbox, rows: [], done: [], failures: [], unfinished: [], busyMs: 0, fatal };
  return { request, keepsOutput: false, items: 0 };
}

/** What a leader is told of an attempt's end, beside which one it is. */
export type Told = Omit<AttemptFinished, 'attempt' | 'kind' | 'node'>;

/** An end without a commit. */
export const nothingDone = { items: 0, busyMs: 0, children: [], failed: [] };

export function toldOf({ commit, reply }: Judged): Told {
  const { fatal, sealed, busyMs } = commit.request;
  return {
    ...{ outcome: reply.outcome, items: commit.items, busyMs },
    ...{ children: reply.children, failed: reply.failed },
    // An earlier life of the attempt may have committed something else: then the store names no failure, and ours counts for nothing.
    ...(fatal !== undefined && reply.failed.length > 0 ? { fatal } : {}),
    ...(sealed === undefined ? {} : { sealed }),
    ...(reply.ended === true ? { ended: true } : {}),
  };
}
