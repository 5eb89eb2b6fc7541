import { spawn } from 'node:child_process';
import process from 'node:process';
import { type Clock, messageOf } from '@das/kernel';

const probeMs = 20_000;

/**
 * The Node.js that runs this process, if the account of scripts can run it, too; else why not, in words. A Node.js in the home folder of
 * another account (nvm) is out of its reach.
 */
export function findNode({
  uid,
  clock,
  path = process.execPath,
}: {
  readonly uid: number | undefined;
  readonly clock: Clock;
  readonly path?: string;
}): Promise<{ readonly path: string; readonly missing?: string }> {
  return new Promise((resolve) => {
    const child = spawn(path, ['--version'], {
      ...{ cwd: '/', env: {}, stdio: 'ignore' },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    const stop = clock.timer(probeMs, () => child.kill('SIGKILL'));
    const told = (why?: string): void => {
      stop();
      resolve(why === undefined ? { path } : { path, missing: `${path} ${why}` });
    };
    child.once('error', (error: Error & { code?: string }) =>
      told(error.code === 'EACCES' ? 'cannot be reached by the account of scripts' : messageOf(error)),
    );
    child.once('close', (code) => (code === 0 ? told() : told(`ends with code ${code ?? '?'}`)));
  });
}
