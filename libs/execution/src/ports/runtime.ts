import type { BlockHead, CommandSpec, Functions, Language, PartKind, Range } from '@das/contracts';
import type { Bounds } from '../core/bounds.js';
import type { Exit, ScriptFailure } from '../core/failures.js';
import type { Command, LaunchedProcess, Place } from './launch.js';

/** One kind of worker: a process that takes a script, of a language that it knows, and runs parts. Which ones those are is the affair of the pools. */
export interface Runtime {
  readonly language: string;
  /** How to start a worker that knows no job yet. */
  command(place: Place): Command;
  /** Prepares the place before the start, as the executor's account: files that the worker expects. @throws the system's error; nothing is left open. */
  furnish(place: Place): Promise<Furnished>;
  /** Talks to a started worker. */
  attach(process: LaunchedProcess, place: Place, furnished: Furnished): RuntimeWorker;
}

/** What a place holds for the executor. */
export interface Furnished {
  /** What the worker says of itself without a message; readable also after its death. */
  position(): WorkerPosition;
  confirm(): void;
  cancel(): void;
  close(): Promise<void>;
}

export interface WorkerPosition {
  readonly item: number | undefined;
  /** Grows with everything else that counts as progress. */
  readonly counter: number;
}

/** A script as it came. */
export interface ScriptText {
  readonly language: Language;
  readonly filename: string;
  /** Of a WebAssembly module: its bytes as base64. */
  readonly text: string;
}

/** A script as one job uses it. */
export interface ScriptJob extends ScriptText {
  readonly job: string;
  readonly node: string;
  /** Of a bundle: where the worker finds its files, read-only, `filename` among them; it stays while the worker lives. Absent: one file is all. */
  readonly folder?: string | undefined;
  /** Folder of packages that were installed for it. */
  readonly packages?: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
  /** The text is a command, run so. */
  readonly command?: CommandSpec | undefined;
  /** What the job may use; absent: as much as its place. */
  readonly limits?: Bounds | undefined;
}

export interface SyntaxFault {
  /** Of a bundle, when it is not the script itself. */
  readonly file?: string | undefined;
  readonly line: number;
  readonly column: number;
  readonly text: string;
  readonly message: string;
}
export interface Inspection {
  readonly functions?: Functions | undefined;
  readonly fault?: SyntaxFault | undefined;
}

/** A page of raw NDJSON: `count` items, or the bytes of one `source` (a bucket). */
export interface Page {
  readonly count: number;
  readonly source: number;
  readonly raw: Uint8Array;
}
/** Pulled page by page; undefined at the end. Closing it early is fine. */
export type Pages = () => Promise<Page | undefined>;

interface WorkBase {
  readonly part: string;
  readonly attempt: number;
  readonly traceparent?: string | undefined;
}
/** What a worker is asked to run. `buckets` > 0: `map` yields pairs for `reduce`. */
export type Work =
  | (WorkBase & {
      readonly kind: 'map';
      readonly range: Range;
      readonly buckets: number;
      /** Items are the integers from `base` + item on, or come as pages. */
      readonly items: { readonly base: number } | { readonly pages: Pages };
    })
  | (WorkBase & {
      readonly kind: 'split';
      readonly range: Range;
      readonly stored: () => Promise<readonly BlockHead[] | undefined>;
    })
  | (WorkBase & { readonly kind: 'reduce'; readonly range: Range; readonly pages: Pages })
  | (WorkBase & {
      readonly kind: 'gather';
      readonly range: Range;
      readonly pages: Pages;
      /** `merge`: no `gather` of the script; sorted buckets become one. `keyed`: the lines are those of `reduce`. */
      readonly merge: boolean;
      readonly keyed: boolean;
    })
  | (WorkBase & { readonly kind: 'main'; readonly range: Range })
  | (WorkBase & {
      readonly kind: 'hook';
      readonly range: Range;
      readonly decisionId: string;
      readonly leaseMs: number;
      /** `on_success` gets the lines of the result; `on_failure` why the job failed. */
      readonly about: { readonly pages: Pages } | { readonly error: Readonly<Record<string, unknown>> };
    });

/** What a script asks about a lock while its part runs. */
export type LockCall =
  | { readonly op: 'acquire'; readonly name: string; readonly limitMs: number; readonly waitMs: number }
  | { readonly op: 'renew'; readonly name: string; readonly fence: number; readonly limitMs: number }
  | { readonly op: 'release'; readonly name: string; readonly fence?: number | undefined };

/** What it is told: the fence of the lock that it has, or why it has none. */
export type LockAnswer =
  | { readonly fence: number }
  | { readonly refusal: 'timeout' | 'lost' | 'over'; readonly why: string }
  | { readonly released: true };

/** Hears what a part gives, in item order. A promise holds the worker back until it settles; its rejection ends the run. */
export interface WorkSink {
  /** Results of the next `items` items, one line each. */
  results(items: number, lines: Uint8Array): void | Promise<void>;
  /** Pairs of the next `items` items, by bucket. */
  pairs(
    items: number,
    buckets: ReadonlyArray<{ readonly bucket: number; readonly lines: Uint8Array }>,
  ): void | Promise<void>;
  /** The next item failed. */
  failed(item: number, failure: ScriptFailure): void | Promise<void>;
  /** Lines of a step. */
  lines(lines: Uint8Array): void | Promise<void>;
  /** The next block of `split`. The script waits until it is stored. */
  block(head: BlockHead, lines: Uint8Array): Promise<void>;
  /** The script asks about a lock; it waits for the answer unless it releases. A further call means that it waits for none before. */
  lock(call: LockCall): Promise<LockAnswer>;
}

/** How a run ended. */
export type RunEnd =
  /** By itself; items not told are given back. `items`: of a step. */
  | { readonly kind: 'ended'; readonly items: number }
  /** A step failed. */
  | { readonly kind: 'failed'; readonly failure: ScriptFailure }
  /** The script lacks what the part needs: no node could run it. */
  | { readonly kind: 'fatal'; readonly failure: ScriptFailure }
  /** `split` yields other items than an earlier attempt did. */
  | { readonly kind: 'differs'; readonly why: string }
  /** The process is gone. */
  | { readonly kind: 'gone'; readonly exit: Exit };

/** A worker process, one request at a time. */
export interface RuntimeWorker {
  /** Resolves when it can take a script. Rejects with WorkerGoneError. */
  readonly ready: Promise<void>;
  /** Parses; runs nothing. `folder`: of the bundle whose other files are looked at, too. Rejects with WorkerGoneError, also when its answer cannot be read: then it ends. */
  inspect(code: ScriptText, folder?: string): Promise<Inspection>;
  /** Loads the script of its job: once in its life. Resolves to the failure of importing it. Rejects with WorkerGoneError, as {@link inspect}. */
  load(script: ScriptJob): Promise<ScriptFailure | undefined>;
  /** Rejects only with what a sink or a source of the caller threw; the worker is then of no further use. */
  run(work: Work, sink: WorkSink): Promise<RunEnd>;
  position(): WorkerPosition;
  /** The hook that it runs may go on, for `leaseMs` from when it sees this; it ends itself when no more of these come, also while we stand still. */
  confirm(): void;
  /** `das.cancelled()` becomes true, also for code that never lets go of its thread; a signal follows. */
  cancel(): void;
  /** It waits for items, for a sink, for a block to be stored, or for a lock: no lack of progress of its own. */
  readonly waitsForUs: boolean;
}

export type StepKind = Exclude<PartKind, 'map'>;
