import { createWriteStream } from 'node:fs';
import { access, constants, rename, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { dirname, resolve } from 'node:path';
import type { Client } from '../client/client.js';
import type { GlobalOptions } from '../client/endpoint.js';
import { readWhole } from '../client/job-follower.js';
import type { Context } from '../context.js';

export interface ResultsOptions extends GlobalOptions {
  readonly follow?: boolean;
  readonly output?: string;
}

/** `das results ID`: NDJSON on standard output. With `--follow`, while it comes about: provisional until the job succeeds. */
export async function results(context: Context<ResultsOptions>, id: string): Promise<void> {
  const client = await context.client();
  await client.learn();
  const { follow, output } = context.options;
  await copyResults(context, client, id, output, follow === true);
}

/** Finds out before the work begins. @throws Error in words when the result could not be written there. */
export async function checkOutput(output: string | undefined, cwd: string): Promise<void> {
  if (output === undefined) return;
  await access(dirname(resolve(cwd, output)), constants.W_OK).catch((thrown: unknown) => {
    throw unwritable(output, thrown);
  });
}

const unwritable = (output: string, thrown: unknown): Error =>
  new Error(`${output} cannot be written (${(thrown as NodeJS.ErrnoException).code ?? 'unknown'})`);

/** Copies a job's result to standard output or a file, which appears under its name only when it is whole. */
export async function copyResults(
  { world }: Context,
  client: Client,
  id: string,
  output: string | undefined,
  follow = false,
): Promise<void> {
  const path = `/v1/jobs/${encodeURIComponent(id)}/results`;
  const query: Record<string, string> = follow ? { follow: '1' } : {};
  if (output === undefined) return readWhole(client, path, query, (bytes) => world.out(bytes));
  const file = resolve(world.cwd, output);
  const fresh = `${file}.partial`;
  const stream = createWriteStream(fresh);
  const failed = once(stream, 'error').then(([thrown]) => {
    throw unwritable(output, thrown);
  });
  failed.catch(() => undefined);
  try {
    await Promise.race([failed, once(stream, 'open')]);
    await readWhole(client, path, query, async (bytes) => {
      if (!stream.write(bytes)) await Promise.race([failed, once(stream, 'drain')]);
    });
    await Promise.race([failed, new Promise<void>((done) => stream.end(done))]);
    await rename(fresh, file);
  } catch (thrown) {
    stream.destroy();
    await rm(fresh, { force: true });
    throw thrown;
  }
}
