import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { messageOf } from '@das/kernel';
import { NotStartedError } from '../ports/errors.js';

/**
 * A process that has started, with all the streams it was to have: one that could not be started may lack them.
 * @throws NotStartedError; nothing is left running.
 */
export async function spawned(file: string, args: readonly string[], options: SpawnOptions): Promise<ChildProcess> {
  const child = tried(file, args, options);
  const failed = new Promise<Error>((resolve) => child.on('error', resolve));
  if (child.pid === undefined) throw new NotStartedError(messageOf(await failed));
  return child;
}

/** Some failures are thrown at once, others are told later. */
function tried(file: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(file, [...args], options);
  } catch (error) {
    throw new NotStartedError(messageOf(error));
  }
}
