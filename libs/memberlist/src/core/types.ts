/** What a node believes of a member. `left`: it said so itself. */
export type MemberState = 'alive' | 'suspect' | 'dead' | 'left';

/** Where a node listens. The bytes (4 or 16) stay as received: the original compares and repeats them byte by byte. */
export interface Address {
  readonly addr: Uint8Array;
  readonly port: number;
}

/** One node's record of a member. Never changed in place: a new record replaces it, so simulated nodes can share it. */
export interface Member extends Address {
  readonly name: string;
  /** The member's own attributes, at most 512 bytes. */
  readonly meta: Uint8Array;
  /** Protocol min, max, current and delegate min, max, current; empty when never told. */
  readonly vsn: Uint8Array;
  /** Only the member itself raises it, to overrule what others say. */
  readonly incarnation: number;
  readonly state: MemberState;
  /** Time of the last change of state; ms of the local clock. */
  readonly stateChange: number;
}

/** Uniform in [0, 1). The only source of chance in the core. */
export type Rng = () => number;
