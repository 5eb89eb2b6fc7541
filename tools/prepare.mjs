// Makes a bare clone runnable: dependencies, the NATS server, Python, the build. Node built-ins only; quiet when nothing is to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nodeMin = [20, 19];
const pythonMin = [3, 9];
const systemFolders = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin'];
const stampFile = join(root, 'node_modules', '.das-installed');
const buildStampFile = join(root, 'node_modules', '.das-built');

/** Ends the program with a message people can act on. */
function fail(...lines) {
  for (const line of lines) console.error(line);
  process.exit(1);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > nodeMin[0] || (major === nodeMin[0] && minor >= nodeMin[1])) return;
  fail(`error: Node ${nodeMin.join('.')} or newer is needed; this is ${process.versions.node} (${process.execPath})`);
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const textOf = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** A stamp only saves time: in a clone that belongs to somebody else there is none. */
function writeStamp(file, text) {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  } catch (thrown) {
    if (thrown.code !== 'EACCES' && thrown.code !== 'EROFS' && thrown.code !== 'EPERM') throw thrown;
  }
}

/** Whether every package of the lock file is installed in its version, as npm's own record in node_modules says. */
function matchesLock(lockText) {
  const recordText = textOf(join(root, 'node_modules', '.package-lock.json'));
  if (recordText === '') return false;
  const record = JSON.parse(recordText).packages;
  return Object.entries(JSON.parse(lockText).packages).every(([path, { version, optional, link }]) => {
    if (!path.startsWith('node_modules/') || optional) return true;
    return link ? record[path]?.link === true : record[path]?.version === version;
  });
}

function installPackages() {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const stamp = sha256(lockText);
  if (textOf(stampFile) === stamp) return;
  if (!matchesLock(lockText)) {
    console.error('installing packages (npm ci) …');
    const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    });
    if (status !== 0)
      fail(`error: npm ci failed${error ? `: ${error.message}` : ''}`, 'hint: is the registry reachable?');
  }
  writeStamp(stampFile, stamp);
}

/** The program's path on PATH or in the system's folders (sbin is often not on an ordinary user's PATH). */
export function findProgram(name) {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), ...systemFolders]) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      if (statSync(file).isFile()) return file;
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Longest time that apt may take (ms): a mirror that answers slowly must not hold everything up. */
const aptMsMax = 300_000;

/** Installs Debian packages when that is permitted: as root, or by a sudo that asks nothing. Says whether it worked. */
function aptInstall(...names) {
  const apt = findProgram('apt-get');
  if (apt === undefined) return false;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (sudo.length > 0 && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status !== 0) return false;
  const run = (...args) => {
    const [file, ...rest] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', apt, ...args];
    return spawnSync(file, rest, { stdio: ['ignore', 2, 2], timeout: aptMsMax }).status === 0;
  };
  console.error(`installing ${names.join(' ')} (apt-get) …`);
  const install = () => run('install', '-y', '-qq', '--no-install-recommends', ...names);
  return install() || (run('update', '-qq') && install());
}

function needNats() {
  if (findProgram('nats-server')) return;
  if (aptInstall('nats-server') && findProgram('nats-server')) return;
  fail(
    'error: nats-server is not installed, and could not be installed from here',
    'hint: three ways to get one:',
    '  1. Debian, Ubuntu:  sudo apt-get install nats-server',
    '  2. a release of https://github.com/nats-io/nats-server (one file): put it on PATH',
    '  3. use a server you have: DAS_NATS_URL=nats://host:4222 (token in DAS_NATS_TOKEN)',
  );
}

const pythonFits = (file) =>
  file !== undefined &&
  spawnSync(file, ['-c', `import sys; sys.exit(sys.version_info < (${pythonMin.join(', ')}))`], { stdio: 'ignore' })
    .status === 0;

function needPython() {
  const python = process.env.DAS_PYTHON;
  if (pythonFits(python ?? findProgram('python3'))) return;
  if (!python && aptInstall('python3') && pythonFits(findProgram('python3'))) return;
  fail(
    `error: Python ${pythonMin.join('.')} or newer is needed to run scripts${python ? `; DAS_PYTHON is ${python}` : ''}`,
    'hint: sudo apt-get install python3, or set DAS_PYTHON to an interpreter',
  );
}

/** What our gossip is tried against. Without it those tests are skipped and say so; nothing else needs it. */
function wantInterop() {
  const library = '/usr/share/gocode/src/github.com/hashicorp/memberlist';
  const here = ['serf', 'go', 'nft'].every((name) => findProgram(name) !== undefined) && existsSync(library);
  if (!here) aptInstall('serf', 'golang-go', 'golang-github-hashicorp-memberlist-dev', 'nftables');
}

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/(?<!\.spec)\.ts$/.test(entry.name)) yield path;
  }
}

/** Names, sizes and times of everything that goes into the build. */
function buildFingerprint() {
  const lines = [];
  const note = (file) => {
    const { size, mtimeMs } = statSync(file);
    lines.push(`${file} ${size} ${mtimeMs}`);
  };
  for (const file of ['tsconfig.json', 'tsconfig.base.json', 'package-lock.json']) note(join(root, file));
  for (const { path } of JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).references) {
    const project = join(root, path);
    note(join(project, 'tsconfig.json'));
    for (const file of sources(join(project, 'src'))) note(file);
    lines.push(`${project} ${existsSync(join(project, 'dist'))}`);
  }
  return sha256(lines.sort().join('\n'));
}

function build() {
  if (textOf(buildStampFile) === buildFingerprint()) return;
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [tsc, '-b', 'tsconfig.json'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail('error: the build failed');
  writeStamp(buildStampFile, buildFingerprint());
}

/**
 * Prepares what is asked for, or ends the program with a message. `nats` and `python`: what a cluster on this machine needs;
 * `interop`: what only tests need, and not all of them.
 */
export function prepare({ build: wantsBuild = false, nats = true, python = true, interop = false } = {}) {
  checkNode();
  installPackages();
  if (nats) needNats();
  if (python) needPython();
  if (interop) wantInterop();
  if (wantsBuild) build();
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  prepare({ build: process.argv.includes('--build'), interop: process.argv.includes('--interop') });
