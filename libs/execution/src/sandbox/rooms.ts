import { mkdir } from 'node:fs/promises';
import type { Clock } from '@das/kernel';
import { type SharedFolders, roomArgs } from '../core/room-args.js';
import { NotStartedError } from '../ports/errors.js';
import type { Command, LaunchedProcess, Launcher, Place } from '../ports/launch.js';
import type { NurseryRoom } from '../python/nursery-process.js';
import { PythonNursery } from '../python/python-nursery.js';
import { systemFolders } from './system-folders.js';

export interface RoomsOptions {
  readonly interpreter: string;
  /** Folders that the interpreter needs, wherever they are. */
  readonly prefixes: readonly string[];
  /** Folders of workers. */
  readonly root: string;
  /** Code that workers may be bound to; made when it is not there. */
  readonly codeRoot: string;
  readonly shared: SharedFolders;
  readonly clock: Clock;
  /** bubblewrap, by name or path. */
  readonly bwrap: string;
  /** By a user namespace: needed unless we are root. */
  readonly users: boolean;
  /** Each worker has a /proc of its own; some containers do not let anyone mount one. */
  readonly proc: boolean;
}

/** Different rooms at a time: with and without network, times what a few languages need. */
const roomsMax = 16;

/** Workers in rooms that bubblewrap makes: one nursery for each room, all workers of a room alike but each in a cell of its own. */
export class Rooms implements Launcher {
  readonly #nurseries = new Map<string, PythonNursery>();

  constructor(private readonly options: RoomsOptions) {}

  /** @throws NotStartedError; nothing is left running. */
  async launch(command: Command, place: Place): Promise<LaunchedProcess> {
    await mkdir(this.options.codeRoot, { recursive: true });
    const { network = false } = place;
    const process = await this.#nursery(network, command.mounts ?? []).launch(command, place);
    return Object.assign(process, {
      start: { ...process.start, within: { network, lends: true, users: this.options.users } },
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#nurseries.values()].map((nursery) => nursery.close()));
  }

  #nursery(network: boolean, mounts: readonly string[]): PythonNursery {
    const name = JSON.stringify([network, ...mounts]);
    const known = this.#nurseries.get(name);
    if (known !== undefined) return known;
    if (this.#nurseries.size >= roomsMax) throw new NotStartedError(`more than ${roomsMax} kinds of sandboxes`);
    const { interpreter, root, clock } = this.options;
    const nursery = new PythonNursery({ interpreter, root, clock, room: this.#room(network, mounts) });
    this.#nurseries.set(name, nursery);
    return nursery;
  }

  #room(network: boolean, mounts: readonly string[]): NurseryRoom {
    const { bwrap: file, users, proc, root: scratchRoot, codeRoot, prefixes, shared } = this.options;
    const shown = systemFolders([...prefixes, ...mounts]);
    const args = roomArgs({ network, users, proc, shown, shared, scratchRoot, codeRoot });
    return { file, args, codeRoot, network, users, proc, shared: [...shared.readable, ...shared.writable] };
  }
}
