import { type ResourceLimits, limits } from '@das/contracts';
import { sizeText } from '@das/kernel';
import { logLimits } from './log-lines.js';

/** What a place lets its worker use, whichever job that gets: the most that any job can have there. */
export interface PlaceLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly fileBytes: number;
  readonly scratchBytes: number;
}

const mib = 1024 * 1024;

/** What a node allows unless it is told otherwise. */
export const placeLimitsDefault: PlaceLimits = {
  memoryBytes: 2048 * mib,
  processes: 256,
  fileBytes: 1024 * mib,
  // It may be memory.
  scratchBytes: 256 * mib,
};

/** For programs other than workers of ours: what counts as memory differs, and the kernel counts it for all of them together. */
export const withoutMemory = (limits: PlaceLimits): PlaceLimits => ({ ...limits, memoryBytes: 0 });

/** The limits of one job on one node. */
export interface Bounds extends PlaceLimits {
  readonly cpuMs: number | undefined;
  readonly wallMs: number | undefined;
  readonly itemOutputBytes: number;
  readonly partOutputBytes: number | undefined;
  readonly logBytes: number;
  readonly logLinesPerSecond: number;
  /** What is said when one of them strikes. */
  readonly words: Readonly<Record<LimitKind, LimitWords>>;
}
export type LimitKind = 'memory' | 'cpu' | 'wall' | 'processes' | 'file' | 'scratch' | 'itemOutput' | 'partOutput';
export interface LimitWords {
  readonly message: string;
  readonly hint: string;
}

/** The lower of what the job wants and the node allows. */
export function boundsOf(wanted: ResourceLimits, place: PlaceLimits): Bounds {
  const least = (key: keyof PlaceLimits): number => Math.min(wanted[key] ?? Number.POSITIVE_INFINITY, place[key]);
  const effective = {
    memoryBytes: least('memoryBytes'),
    processes: least('processes'),
    fileBytes: least('fileBytes'),
    scratchBytes: least('scratchBytes'),
    cpuMs: wanted.cpuMs,
    wallMs: wanted.wallMs,
    itemOutputBytes: wanted.itemOutputBytes ?? limits.resultBytesMax,
    partOutputBytes: wanted.partOutputBytes,
    logBytes: wanted.logBytes ?? logLimits.charsPerAttemptMax,
    logLinesPerSecond: wanted.logLinesPerSecond ?? logLimits.linesPerSecondMax,
  };
  return { ...effective, words: wordsOf(effective, wanted, place) };
}

type Effective = Omit<Bounds, 'words'>;

function wordsOf(at: Effective, wanted: ResourceLimits, place: PlaceLimits): Bounds['words'] {
  /** Whose limit it was, and what raises it. */
  const whose = (key: keyof PlaceLimits, option: string, setting: string): string =>
    (wanted[key] ?? Number.POSITIVE_INFINITY) <= place[key]
      ? `limit of the job; raise ${option}`
      : `limit of the node; raise ${setting} there`;
  const ofJob = (given: number | undefined, option: string): string =>
    given === undefined ? 'the default' : `limit of the job; raise ${option}`;
  return {
    memory: {
      message: `needed more than ${sizeText(at.memoryBytes)} of memory (${whose('memoryBytes', '--memory', 'DAS_WORKER_MEMORY_MB')})`,
      hint: 'use less memory per item, or allow more',
    },
    cpu: {
      message: `needed more than ${seconds(at.cpuMs)} of CPU time (${ofJob(at.cpuMs, '--cpu-time')})`,
      hint: 'it counts for the whole part: allow more, or give fewer items per part',
    },
    wall: {
      message: `ran for more than ${seconds(at.wallMs)} (${ofJob(at.wallMs, '--max-time')})`,
      hint: 'it counts for the whole part: allow more, or give fewer items per part',
    },
    processes: {
      message: `needed more than ${at.processes} processes and threads (${whose('processes', '--processes', 'DAS_WORKER_PROCESSES')})`,
      hint: 'start fewer at a time, or allow more',
    },
    file: {
      message: `wrote a file of more than ${sizeText(at.fileBytes)} (${whose('fileBytes', '--file-size', 'DAS_WORKER_FILE_MB')})`,
      hint: 'write less into one file, or allow more',
    },
    scratch: {
      message: `its files needed more than ${sizeText(at.scratchBytes)}, or the disk is full (${whose('scratchBytes', '--scratch', 'DAS_WORKER_SCRATCH_MB')})`,
      hint: 'remove files that are not needed any more, or allow more',
    },
    itemOutput: {
      message: `gave a result of more than ${sizeText(at.itemOutputBytes)} (${ofJob(wanted.itemOutputBytes, '--item-output')})`,
      hint: 'return less per item',
    },
    partOutput: {
      message: `the results of the part have more than ${sizeText(at.partOutputBytes ?? 0)} (${ofJob(at.partOutputBytes, '--part-output')})`,
      hint: 'return less, allow more, or give fewer items per part',
    },
  };
}

const seconds = (ms: number | undefined): string => `${Math.round((ms ?? 0) / 100) / 10} s`;
