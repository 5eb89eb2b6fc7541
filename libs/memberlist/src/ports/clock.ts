/** Undoes a timer that has not fired; afterwards it does nothing. */
export type Cancel = () => void;

/** Time for one node. Milliseconds since any moment; never runs backwards. */
export interface Clock {
  now(): number;
  /** Calls once when `time` has come, or as soon as possible when it is over. Never from inside this call. */
  at(time: number, fire: () => void): Cancel;
  /** Calls once all that had arrived for this node is delivered: after a pause the inbox is read before anyone is judged. */
  drain(done: () => void): void;
}
