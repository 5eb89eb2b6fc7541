import type { Assignment, JobSpec } from '@das/contracts';
import { MapRows, PairRows, type PartWord, StepRows } from '@das/execution';

/** What a part is called when it fails. */
export function wordOf({ kind, decision }: Assignment): PartWord {
  if (kind !== 'hook') return kind;
  return decision?.outcome === 'failed' ? 'on_failure' : 'on_success';
}

/** Where the output of a part is collected. */
export function rowsFor(spec: JobSpec, { kind, from }: Assignment): MapRows | PairRows | StepRows {
  if (kind === 'map') return spec.functions.reduce ? new PairRows(from) : new MapRows(from);
  // These two give no rows.
  return new StepRows(kind === 'split' || kind === 'hook' ? 'main' : kind, from);
}
