import type { PartKind } from '@das/contracts';
import type { PartId } from '@das/kernel';

/** What a part's id says. */
export interface PartName {
  readonly kind: PartKind;
  readonly from: number;
  readonly to: number;
  readonly tries: number;
}

const pattern = /^(split|map|reduce|gather|main|hook):(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})(?:~([1-9]\d{0,5}))?$/;

/** `map:0-16`, and `map:5-6~1` for the second try. Derived, not counted: two leaders that cut the same range name it alike. */
export function partIdOf(kind: PartKind, from: number, to: number, tries: number): PartId {
  return `${kind}:${from}-${to}${tries === 0 ? '' : `~${tries}`}` as PartId;
}

/** Reads an id back; `undefined` when it is not one that {@link partIdOf} makes. */
export function parsePartId(id: string): PartName | undefined {
  const match = pattern.exec(id);
  if (!match) return undefined;
  const [, kind, from, to, tries] = match;
  return { kind: kind as PartKind, from: Number(from), to: Number(to), tries: Number(tries ?? 0) };
}
