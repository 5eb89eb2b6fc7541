import type { ChildProcess } from 'node:child_process';

export declare const withinMs: number;

export interface Waiting {
  /** Only events since this mark. @default 0 */
  readonly from?: number;
  readonly limitMs?: number;
}

export declare class LineProcess<Event = { readonly text: string }> {
  constructor(name: string, command: readonly string[], parse: (line: string) => Event | undefined);
  readonly name: string;
  readonly child: ChildProcess;
  readonly events: readonly Event[];
  readonly mark: number;
  readonly ended: Promise<void>;
  /** Why it is over, once it is. */
  readonly over?: string;
  until(what: string, matches: (event: Event) => boolean, waiting?: Waiting): Promise<Event>;
  signal(name: NodeJS.Signals): void;
  kill(): Promise<void>;
}
