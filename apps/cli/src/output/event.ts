import type { JobEvent } from '@das/contracts';
import { assertNever, isoOf } from '@das/kernel';
import { type Standing, hookName, standingLine } from '../core/human.js';

type Progress = Extract<JobEvent, { event: 'progress' }>;

/** A job's standing as a progress event tells it. */
export function standingOf({ committed, failed, items, sealed, running, etaMs }: Progress): Standing {
  return { done: committed, failed, total: items, final: sealed, running, etaMs };
}

/** `2026-01-01T00:00:00.000Z  j-…  state     running`. */
export const eventLine = (event: JobEvent): string =>
  `${isoOf(event.at)}  ${event.job}  ${event.event.padEnd(8)}  ${wordsOf(event)}`;

function wordsOf(event: JobEvent): string {
  switch (event.event) {
    case 'state':
      return stateWords(event);
    case 'progress':
      return standingLine(standingOf(event));
    case 'note':
      return event.message;
    case 'log':
      return event.lines.join(' | ');
    default:
      return assertNever(event);
  }
}

/** `settling: decided succeeded, on_success runs`; `failed: <why>; its hook failed: <why>`. */
export function stateWords({ state, failure, outcome, hookFailure }: Extract<JobEvent, { event: 'state' }>): string {
  if (outcome !== undefined) return `${state}: decided ${outcome}, ${hookName(outcome)} runs`;
  const hook = hookFailure && `its hook failed: ${hookFailure.message}`;
  return [[state, failure?.message].filter(Boolean).join(': '), hook].filter(Boolean).join('; ');
}

/** A line of a log, `[node part] text`, as an object. */
export function logLine(line: string): { node?: string; part?: string; line: string } {
  const [, node, part, text] = /^\[(\S+) (\S+)\] (.*)$/s.exec(line) ?? [];
  return node === undefined || part === undefined || text === undefined ? { line } : { node, part, line: text };
}
