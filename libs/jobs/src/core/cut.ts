/**
 * How large the next part is: learnt, small first, shrinking towards the end.
 * Source: guided self-scheduling (Polychronopoulos & Kuck 1987) with a target duration; figures in docs/adr/0002-part-size.md.
 */

export interface CutConfig {
  /** A part should last about this long (ms). */
  readonly targetMs: number;
  /** Towards the end parts shrink, but not below this (ms): a part costs about 1 ms of its own. */
  readonly leastMs: number;
  /** Items of a part whose cost is unknown. */
  readonly firstItems: number;
  /** A part has at most this many times the items of the largest part that was measured. */
  readonly growthMax: number;
  readonly itemsMax: number;
  readonly bytesMax: number;
}

/** What is known of a job's items when a part is cut. */
export interface CutInput {
  /** Items not cut yet. */
  readonly remaining: number;
  /** Slots of all live nodes. */
  readonly slots: number;
  /** Learnt time of one item on one slot (ms); absent before the first part ended. */
  readonly msPerItem: number | undefined;
  /** Items of the largest part measured so far. */
  readonly measuredItems: number;
  /** Mean stored bytes of an item; 0 when nothing is stored (ranges). */
  readonly bytesPerItem: number;
  /** The user's own size. */
  readonly fixed: number | undefined;
}

/** Items of the next part: ≥ 1, ≤ remaining. `remaining` must be ≥ 1. */
export function nextPartItems(input: CutInput, config: CutConfig): number {
  const bound = Math.min(input.remaining, config.itemsMax, byteBound(input, config));
  return Math.max(1, Math.min(bound, input.fixed ?? learntItems(input, config)));
}

function byteBound(input: CutInput, config: CutConfig): number {
  return input.bytesPerItem > 0 ? Math.floor(config.bytesMax / input.bytesPerItem) : Number.MAX_SAFE_INTEGER;
}

function learntItems(input: CutInput, config: CutConfig): number {
  // Half of an even share: what is left over evens out nodes and items that turn out slower.
  const share = Math.ceil(input.remaining / (2 * Math.max(1, input.slots)));
  if (input.msPerItem === undefined) return Math.min(config.firstItems, share);
  const perItem = Math.max(input.msPerItem, 1e-6);
  const target = config.targetMs / perItem;
  const least = Math.ceil(config.leastMs / perItem);
  const grown = Math.max(config.firstItems, input.measuredItems) * config.growthMax;
  return Math.min(Math.floor(Math.min(target, grown)), Math.max(share, least));
}

/** Weight of the newest measurement: half, so that three parts after a change of cost the old one counts an eighth. */
const newest = 0.5;

/** The learnt time of one item after a part of `items` took `busyMs`. */
export function learn(before: number | undefined, items: number, busyMs: number): number | undefined {
  if (items <= 0) return before;
  const measured = busyMs / items;
  return before === undefined ? measured : before * (1 - newest) + measured * newest;
}
