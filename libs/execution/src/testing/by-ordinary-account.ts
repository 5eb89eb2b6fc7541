import { execFile } from 'node:child_process';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';

const ordinary = 61_234;
const repository = resolve(__dirname, '../../../..');
const timeoutMs = 170_000;

/**
 * Runs test files of this library once more by an account that is not root, which root can do, wherever the repository lies: it is shown
 * at a path that everybody reaches. `pattern`: as Jest takes it; `env`: that of this process.
 */
export async function byOrdinaryAccount(
  pattern: string,
  env: NodeJS.ProcessEnv,
): Promise<{ passed: boolean; said: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'das-ordinary-'));
  const shown = join(folder, 'repository');
  await mkdir(shown);
  await Promise.all([chown(folder, ordinary, ordinary), chmod(folder, 0o755)]);
  const command = 'mount --bind "$1" "$2" && cd "$2" && shift 2 && exec "$@"';
  const account = ['setpriv', `--reuid=${ordinary}`, `--regid=${ordinary}`, '--clear-groups'];
  const jest = ['node_modules/jest/bin/jest.js', '-c', 'jest.config.mjs', '--rootDir', 'libs/execution', pattern];
  const run = [...account, process.execPath, ...jest, '--runInBand', `--cacheDirectory=${folder}/cache`];
  const { PATH, NODE_OPTIONS } = env;
  try {
    return await new Promise((resolve) => {
      const args = ['--mount', 'sh', '-c', command, 'sh', repository, shown, ...run];
      execFile(
        'unshare',
        args,
        { timeout: timeoutMs, env: { PATH, HOME: folder, NODE_OPTIONS } },
        (error, stdout, stderr) => resolve({ passed: error === null, said: `${stdout}${stderr}` }),
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
