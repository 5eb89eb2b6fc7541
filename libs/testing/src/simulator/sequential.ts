import type { JobSpec } from '@das/contracts';
import { type JobPlan } from './workload.js';
import {
  bucketOf,
  gatherLine,
  joined,
  keyOf,
  mainLines,
  mapLine,
  mergeLines,
  pairLine,
  raisedFailure,
  reduceLines,
} from './script.js';

/** What a run of the script on one machine gives over these items: its result, or nothing when the job has to fail. */
export function sequentialResult(plan: JobPlan, texts: readonly string[]): string | undefined {
  const { spec, raises } = plan;
  if (spec.functions.main) return joined(mainLines(spec));
  const fails = (item: number): boolean => (raises.get(item) ?? 0) > spec.limits.retries;
  const failed = texts.filter((_, item) => fails(item)).length;
  if (failed > tolerated(spec, texts.length)) return undefined;
  if (spec.functions.reduce)
    return joined(
      reduced(
        spec,
        texts.filter((_, item) => !fails(item)),
      ),
    );
  if (!spec.functions.gather) return joined(texts.map((text, item) => (fails(item) ? errorLine(item) : mapLine(text))));
  return joined(texts.filter((_, item) => !fails(item)).map((text) => gatherLine(mapLine(text))));
}

function tolerated({ limits }: JobSpec, items: number): number {
  return 'items' in limits.tolerate ? limits.tolerate.items : Math.floor(limits.tolerate.share * items);
}

function reduced({ functions, limits }: JobSpec, texts: readonly string[]): string[] {
  const buckets = Array.from({ length: limits.buckets }, (_, bucket) =>
    reduceLines(texts.filter((text) => bucketOf(keyOf(text), limits.buckets) === bucket).map(pairLine)),
  );
  if (!functions.gather) return mergeLines(buckets.flat());
  return buckets.flat().map(gatherLine);
}

function errorLine(item: number): string {
  const { code, message } = raisedFailure(item);
  return JSON.stringify({ $error: { code, message, item } });
}
