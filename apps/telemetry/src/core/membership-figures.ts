import type { MembershipCounted } from '@das/contracts';
import type { NodeId } from '@das/kernel';
import { type Sample, metrics } from './metrics.js';

/** Codes of notes kept; there are about forty. */
const codesMax = 100;

/** The newest figures of the node's membership service. Its notes count from its start: what earlier lives counted is added. */
export class MembershipFigures {
  readonly #before = new Map<string, number>();
  #newest: MembershipCounted | undefined;

  heard(counted: MembershipCounted): void {
    const last = this.#newest;
    if (last !== undefined && last.startedAt !== counted.startedAt) {
      for (const [code, count] of Object.entries(last.notes).slice(0, codesMax))
        this.#before.set(code, (this.#before.get(code) ?? 0) + count);
    }
    this.#newest = counted;
  }

  samples(node: NodeId): Sample[] {
    if (this.#newest === undefined) return [];
    const { members, healthScore, notes } = this.#newest;
    const codes = [...new Set([...this.#before.keys(), ...Object.keys(notes)])].slice(0, codesMax);
    return [
      { metric: metrics.health, attributes: { node }, value: healthScore },
      ...Object.entries(members).map(([state, value]) => ({
        metric: metrics.members,
        attributes: { node, state },
        value,
      })),
      ...codes.map((code) => ({
        metric: metrics.notes,
        attributes: { node, code },
        value: (this.#before.get(code) ?? 0) + (notes[code] ?? 0),
      })),
    ];
  }
}
