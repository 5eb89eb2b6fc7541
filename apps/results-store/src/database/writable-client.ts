import pg, { type Client, type ClientBase, type ClientConfig, type PoolConfig } from 'pg';
import type { HostChoice } from './hosts.js';

/** A server that logs in and then says nothing for so long is left (ms). */
const answerMs = 5_000;

/** A server that only reads: a standby that was not promoted, or a primary that came back as one. State: its connection is closed; nothing was written. */
export class StandbyError extends Error {
  /** Postgres' own code for "not now". */
  readonly code = '57P03';
  constructor(where: string) {
    super(`${where} is a standby and takes no writes`);
  }
}

/**
 * What makes a pool connect to whichever of several servers takes writes. A failing connection moves the choice on and fails itself: its
 * caller asks again, as after any lost connection.
 */
export function writableServers(choice: HostChoice): Pick<PoolConfig, 'Client' | 'onConnect'> {
  if (choice.hosts.length === 1) return {};
  // The pool calls it with its own settings, and awaits the hook; the types of the driver do not say so.
  const Client = clientOf(choice) as unknown as NonNullable<PoolConfig['Client']>;
  const onConnect = leaveStandby as (client: ClientBase) => void;
  return { Client, onConnect };
}

/** A connection that knows which server it is to. */
interface Placed {
  /** Turns later connections elsewhere. */
  leave(): string;
}

/** @throws StandbyError, or the driver's error when nothing was answered: later connections go to another server. */
async function leaveStandby(client: ClientBase & Partial<Placed>): Promise<void> {
  const ask = { text: 'select pg_is_in_recovery() as standby', query_timeout: answerMs };
  const { rows } = await client.query<{ standby: boolean }>(ask).catch((error: unknown) => {
    client.leave?.();
    throw error;
  });
  if (rows[0]?.standby === true) throw new StandbyError(client.leave?.() ?? 'the server');
}

type Connected = (error: Error | null) => void;

function clientOf(choice: HostChoice): new (settings: ClientConfig) => Client & Placed {
  return class extends pg.Client implements Placed {
    readonly #host = choice.current;

    constructor(settings: ClientConfig) {
      super({ ...settings, connectionString: choice.current.url });
    }

    leave(): string {
      choice.leave(this.#host);
      return this.#host.where;
    }

    override connect(): Promise<this>;
    override connect(callback: Connected): void;
    override connect(callback?: Connected): Promise<this> | undefined {
      const connected = new Promise<void>((resolve, reject) => {
        super.connect((error: Error | null) => {
          if (error) this.leave();
          callback?.(error);
          if (error && !callback) reject(error);
          else resolve();
        });
      });
      return callback ? undefined : connected.then(() => this);
    }
  };
}
