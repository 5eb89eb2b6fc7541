// The original, as Debian packages it: what of it is here, and our program around it.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, isProgram } from './programs.mjs';

const run = promisify(execFile);
const buildMsMax = 300_000;
const goPath = '/usr/share/gocode';
const library = join(goPath, 'src/github.com/hashicorp/memberlist');

/** What has to be installed for all of this. */
export const packages = ['serf', 'golang-go', 'golang-github-hashicorp-memberlist-dev', 'nftables', 'iproute2'];

/** Why the original cannot be tried here, in words; nothing when it can. */
export function missingOriginal() {
  const missing = ['serf', 'go'].filter((name) => findProgram(name) === undefined);
  if (!existsSync(library)) missing.push('the Go library memberlist');
  if (missing.length === 0) return undefined;
  return `${missing.join(', ')} not installed: apt-get install ${packages.join(' ')}`;
}

/** Why no network of a test's own can be made here, in words; nothing when it can. */
export function missingNetwork() {
  if (process.getuid?.() !== 0) return 'a network namespace needs root';
  const missing = ['unshare', 'nsenter', 'ip', 'nft'].filter((name) => findProgram(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(', ')} not installed: apt-get install nftables iproute2`;
}

/**
 * The command line of the original's peer. Built once for each state of its source and kept in node_modules.
 * @throws Error when the compiler refuses it; nothing is left
 */
export async function originalPeer(repository) {
  const source = join(repository, 'e2e/interop-go');
  const go = findProgram('go');
  if (go === undefined) throw new Error(missingOriginal());
  const { stdout: version } = await run(go, ['version'], { env: goEnv(tmpdir()) });
  const digest = await digestOf(source, version);
  const folder = join(repository, 'node_modules/.cache/das-interop');
  const built = join(folder, `peer-${digest}`);
  if (!isProgram(built)) await build(go, source, folder, built);
  return [built];
}

async function digestOf(source, version) {
  const { mtimeMs } = await stat(library);
  const hash = createHash('sha256').update(`${version} ${mtimeMs}`);
  for (const name of (await readdir(source)).sort()) hash.update(await readFile(join(source, name)));
  return hash.digest('hex').slice(0, 16);
}

/** Moved into place when whole: two that build at the same time do not see half of each other's. */
async function build(go, source, folder, built) {
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, 'build-'));
  try {
    const half = join(scratch, 'peer');
    await run(go, ['build', '-o', half, '.'], { cwd: source, env: goEnv(scratch), timeout: buildMsMax });
    const outdated = (await readdir(folder)).filter((name) => name.startsWith('peer-'));
    await Promise.all(outdated.map((name) => rm(join(folder, name), { force: true })));
    await rename(half, built);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Without cgo no C compiler is needed; nothing is fetched and nothing is written outside `scratch`. */
function goEnv(scratch) {
  return {
    ...{ PATH: process.env.PATH, HOME: scratch, TMPDIR: scratch, GOCACHE: join(scratch, 'cache') },
    ...{ GOPATH: goPath, GO111MODULE: 'off', GOPROXY: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
  };
}
