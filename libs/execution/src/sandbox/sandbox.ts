import process from 'node:process';
import type { SandboxLayer } from '@das/contracts';
import { type Clock, messageOf } from '@das/kernel';
import { type Refusal, refusalAdvice, refusalWords } from '../core/refusals.js';
import type { SharedFolders } from '../core/room-args.js';
import { DirectLauncher } from '../launch/direct-launcher.js';
import { NoSandboxError } from '../ports/errors.js';
import type { Launcher } from '../ports/launch.js';
import type { FoundPython } from '../python/find-python.js';
import { PythonNursery } from '../python/python-nursery.js';
import { Landlocked } from './landlocked.js';
import { Rooms } from './rooms.js';
import { systemPaths } from './system-folders.js';

export type SandboxChoice = SandboxLayer | 'auto';

export interface SandboxOptions {
  readonly choice: SandboxChoice;
  readonly python: FoundPython;
  /** Folders of workers. */
  readonly root: string;
  /** Code that workers may be bound to. */
  readonly codeRoot: string;
  readonly shared: SharedFolders;
  readonly clock: Clock;
  /** bubblewrap, by name or path. @default bwrap */
  readonly bwrap?: string;
  /** Makes one worker by it that answers; rejects with why there is none. */
  readonly probe: (launcher: Launcher) => Promise<void>;
}

/** How workers are made on this node. */
export interface Sandbox {
  readonly layer: SandboxLayer;
  readonly launcher: Launcher;
  /** Folders that scripts may read here; undefined: whatever their account may. */
  readonly readable: readonly string[] | undefined;
  /** What else was tried, and why it was not taken. */
  readonly refused: readonly string[];
  /** What to change so that the best of these can be had, where that is known. */
  readonly advice: string | undefined;
  /** Ends whatever makes workers, and every worker that is left. */
  readonly close: () => Promise<void>;
}

type Opened = Pick<Sandbox, 'launcher' | 'close'>;
interface Way {
  readonly layer: SandboxLayer;
  readonly name: string;
  readonly open: () => Opened;
}

/** The strongest layer that works here, tried with a real worker. @throws NoSandboxError with what each try said; nothing is left running. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const refusals: Refusal[] = [];
  for (const { layer, name, open } of ways(options)) {
    const opened = open();
    try {
      await options.probe(opened.launcher);
      const refused = refusalWords(refusals);
      return { layer, refused, advice: refusalAdvice(refused), readable: readableIn(layer, options), ...opened };
    } catch (error) {
      await opened.close();
      // Without a sandbox there is nothing that could be chosen instead: it is the machine that is short of something.
      if (layer === 'none') throw error;
      refusals.push({ layer: name, why: messageOf(error) });
    }
  }
  const refused = refusalWords(refusals);
  throw new NoSandboxError(options.choice, refused, refusalAdvice(refused));
}

function readableIn(layer: SandboxLayer, { python, shared }: SandboxOptions): readonly string[] | undefined {
  if (layer === 'none') return undefined;
  return [...systemPaths, ...python.prefixes, ...shared.readable, ...shared.writable];
}

function ways(options: SandboxOptions): Way[] {
  const { choice } = options;
  const wanted = (layer: SandboxLayer): boolean => choice === layer || (choice === 'auto' && layer !== 'none');
  const all: Way[] = [
    { layer: 'bwrap', name: 'bwrap', open: () => roomsOf(options, true) },
    { layer: 'bwrap', name: 'bwrap without /proc', open: () => roomsOf(options, false) },
    { layer: 'landlock', name: 'landlock', open: () => landlockedOf(options) },
    { layer: 'none', name: 'none', open: () => plainOf(options) },
  ];
  return all.filter(({ layer }) => wanted(layer));
}

const asRoot = (): boolean => process.getuid?.() === 0;

function roomsOf({ python, root, codeRoot, shared, clock, bwrap = 'bwrap' }: SandboxOptions, proc: boolean): Opened {
  const { path: interpreter, prefixes } = python;
  const rooms = new Rooms({ interpreter, prefixes, root, codeRoot, shared, clock, bwrap, users: !asRoot(), proc });
  return { launcher: rooms, close: () => rooms.close() };
}

function landlockedOf(options: SandboxOptions): Opened {
  const { launcher, close } = plainOf(options);
  const { path: interpreter, prefixes } = options.python;
  return {
    launcher: new Landlocked({ interpreter, prefixes, codeRoot: options.codeRoot, shared: options.shared, launcher }),
    close,
  };
}

/** Without accounts, what a worker leaves is known by its environment, which a forked one does not have. */
function plainOf({ python, root, clock }: SandboxOptions): Opened {
  if (!asRoot() || process.platform !== 'linux')
    return { launcher: new DirectLauncher(), close: async () => undefined };
  const nursery = new PythonNursery({ interpreter: python.path, root, clock });
  return { launcher: nursery, close: () => nursery.close() };
}
