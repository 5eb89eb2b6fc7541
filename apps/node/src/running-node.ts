export type Environment = Readonly<Record<string, string | undefined>>;

/** A node whose services run. */
export interface RunningNode {
  /** Base URL of its REST front door, if it has one. */
  readonly rest: string | undefined;
  /** Ends the services in the reverse order of their start. */
  stop(): Promise<void>;
}
