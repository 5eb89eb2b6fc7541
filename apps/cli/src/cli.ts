import { readFileSync } from 'node:fs';
import { errorLines, exitCodeOf, exitCodes } from './errors.js';
import { CommanderError, programOf } from './program.js';
import type { World } from './world.js';

/** Runs one command line (without program names); resolves with its exit code. Never throws: what went wrong was printed. */
export async function runCli(args: readonly string[], world: World): Promise<number> {
  try {
    await programOf(world, version()).parseAsync(args, { from: 'user' });
    return exitCodes.succeeded;
  } catch (thrown) {
    // Help and version are told by an exception too, with code 0.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCodes.succeeded : exitCodes.usage;
    for (const line of errorLines(thrown, args.includes('--json'))) world.err(line);
    return exitCodeOf(thrown);
  }
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
