import type { PositionIndex } from '../core/member-table.js';

const absent = -1;

/**
 * The index of one member's table when thousands of members know the same names: the names are held once for all, each table
 * only where they are in its own order. A map each would take a gigabyte for 5,000 members.
 */
export class SharedIndex implements PositionIndex {
  readonly #positions: Int32Array;
  /** Names that were not there at the start. */
  readonly #others = new Map<string, number>();

  /** `ids` numbers the shared names from 0 and is never changed. */
  constructor(private readonly ids: ReadonlyMap<string, number>) {
    this.#positions = new Int32Array(ids.size).fill(absent);
  }

  get(name: string): number | undefined {
    const id = this.ids.get(name);
    if (id === undefined) return this.#others.get(name);
    const position = this.#positions[id];
    return position === absent ? undefined : position;
  }

  set(name: string, position: number): void {
    const id = this.ids.get(name);
    if (id === undefined) this.#others.set(name, position);
    else this.#positions[id] = position;
  }

  clear(): void {
    this.#positions.fill(absent);
    this.#others.clear();
  }
}
