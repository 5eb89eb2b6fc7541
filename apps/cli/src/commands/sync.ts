import { stat } from 'node:fs/promises';
import type { Context } from '../context.js';
import { UsageError } from '../core/parse.js';
import { errorLines } from '../errors.js';
import { Changes } from '../input/changes.js';
import { codeFiles } from '../input/code.js';
import { OutputClosedError } from '../world.js';
import { type RunOptions, run } from './run.js';
import { type Round, SyncLoop } from './sync-loop.js';

/** `das sync FOLDER`: `das run`, again at every change of its files, until Ctrl-C. */
export async function sync(context: Context<RunOptions>, path: string): Promise<void> {
  const { world, options, clock } = context;
  if (options.detach === true) throw new UsageError('--detach leaves; sync stays', { field: '--detach' });
  const changes = new Changes(() => printOf(path, options, world), clock);
  // What is not there at all is a mistake of the command line, not of an edit.
  await codeFiles(path, options, world);
  await changes.settle();
  const loop = new SyncLoop({
    start: () => roundOf(context, path),
    changed: (signal) => changes.next(signal),
    failed: (thrown) => {
      if (thrown instanceof OutputClosedError) throw thrown;
      for (const line of errorLines(thrown, options.json === true)) world.err(line);
    },
    say: (line) => world.err(options.json === true ? JSON.stringify({ event: 'sync', message: line }) : line),
  });
  const deaf = world.onInterrupt(() => loop.press());
  try {
    await loop.run();
  } finally {
    deaf();
  }
}

/** A run that hears our interrupts instead of the world's. */
function roundOf(context: Context<RunOptions>, path: string): Round {
  let listener: (() => void) | undefined;
  let interrupted = false;
  const onInterrupt = (heard: () => void): (() => void) => {
    listener = heard;
    // It came before there was anybody to hear it.
    if (interrupted) queueMicrotask(() => listener?.());
    return () => (listener = undefined);
  };
  const over = run({ ...context, world: { ...context.world, onInterrupt } }, path, [path]);
  const interrupt = (): void => {
    interrupted = true;
    listener?.();
  };
  return { over, interrupt };
}

/** Every file with what tells of a change, or why it cannot be told. */
async function printOf(path: string, options: RunOptions, world: Context['world']): Promise<string> {
  try {
    const files = await codeFiles(path, options, world);
    const lines = files.map(async ({ path: name, full }) => {
      const { size, mtimeMs, ino, mode } = await stat(full);
      return `${name} ${size} ${mtimeMs} ${ino} ${mode}`;
    });
    return (await Promise.all(lines)).sort().join('\n');
  } catch (thrown) {
    return `unreadable: ${String(thrown)}`;
  }
}
