import { randomOffset, shuffle } from './random.js';
import type { Member, Rng } from './types.js';

/** Whether the member counts as part of the cluster: a suspect still does. */
export function isPresent(member: Member): boolean {
  return member.state === 'alive' || member.state === 'suspect';
}

/** Where in the table a name is. A plain `Map` does; thousands of simulated nodes share the names. */
export interface PositionIndex {
  get(name: string): number | undefined;
  set(name: string, position: number): void;
  clear(): void;
}

/** All members a node knows of, the dead and the left until they are reaped. The order is the order of probing. */
export class MemberTable {
  #list: Member[];
  readonly #index: PositionIndex;

  /** With members known from the start, in this order of probing. */
  constructor(members: Iterable<Member> = [], index: PositionIndex = new Map<string, number>()) {
    this.#list = Array.from(members);
    this.#index = index;
    this.#list.forEach(({ name }, i) => this.#index.set(name, i));
  }

  /** Known members, dead and left ones included: the n of every formula. */
  get size(): number {
    return this.#list.length;
  }

  /** In the order of probing. */
  get all(): readonly Member[] {
    return this.#list;
  }

  at(position: number): Member | undefined {
    return this.#list[position];
  }

  get(name: string): Member | undefined {
    const position = this.#index.get(name);
    return position === undefined ? undefined : this.#list[position];
  }

  /** Puts a new member at a random place, so that all nodes probe in different orders (SWIM §4.3). */
  add(member: Member, rng: Rng): void {
    const position = randomOffset(this.#list.length, rng);
    const displaced = this.#list[position];
    this.#place(member, displaced === undefined ? 0 : position);
    if (displaced !== undefined) this.#place(displaced, this.#list.length);
  }

  /** Changes the order of probing: two members take each other's place. */
  exchange(a: number, b: number): void {
    const [first, second] = [this.#list[a], this.#list[b]];
    if (a === b || first === undefined || second === undefined) return;
    this.#place(first, b);
    this.#place(second, a);
  }

  /** Replaces the record of a known member. */
  update(member: Member): void {
    const position = this.#index.get(member.name);
    if (position !== undefined) this.#list[position] = member;
  }

  /** Forgets those who have been dead or left for longer than `keepMs`, and shuffles the rest for the next round. Gives the forgotten. */
  reap(now: number, keepMs: number, rng: Rng): Member[] {
    const stale = (member: Member): boolean => !isPresent(member) && now - member.stateChange > keepMs;
    const forgotten = this.#list.filter(stale);
    this.#list = this.#list.filter((member) => !stale(member));
    shuffle(this.#list, rng);
    this.#index.clear();
    this.#list.forEach((member, i) => this.#index.set(member.name, i));
    return forgotten;
  }

  #place(member: Member, position: number): void {
    this.#list[position] = member;
    this.#index.set(member.name, position);
  }
}
