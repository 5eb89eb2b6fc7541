import type { Clock } from '@das/kernel';
import { SystemClock } from '@das/platform/basics';
import { Client } from './client/client.js';
import { type GlobalOptions, endpointOf } from './client/endpoint.js';
import type { World } from './world.js';

/** What every command is given. */
export interface Context<Options extends GlobalOptions = GlobalOptions> {
  readonly world: World;
  readonly options: Options;
  readonly clock: Clock;
  /** A client of the cluster that options and environment name. @throws UsageError. */
  client(): Promise<Client>;
  /** Tells on standard error what is worth knowing, and no error. */
  note(message: string): void;
  /** Prints a result: as JSON with `--json`, else the text. */
  print(value: unknown, text: string): Promise<void>;
}

export function contextOf<Options extends GlobalOptions>(world: World, options: Options): Context<Options> {
  const clock = new SystemClock();
  const note = noteOf(options, world);
  return {
    world,
    options,
    clock,
    client: async () => new Client(await endpointOf(options, world), clock, note),
    note,
    print: (value, text) => world.out(`${options.json === true ? JSON.stringify(value) : text}\n`),
  };
}

function noteOf({ json }: GlobalOptions, { err }: World): (message: string) => void {
  return (message) => err(json === true ? JSON.stringify({ event: 'note', message }) : `note: ${message}`);
}
