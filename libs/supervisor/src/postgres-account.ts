import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How Postgres' programs are started: as whom, and behind which wrapper. */
export interface PostgresAccount {
  /** Owner of the data folder; `undefined`: the current user. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** For `spawn`: the wrapper (if any), then the program, then its arguments. */
  command(program: string, args: readonly string[]): { file: string; args: string[]; uid?: number; gid?: number };
}

/** Which uid Postgres gets when we are root: it refuses to run as uid 0. */
const accountNames = ['postgres', 'nobody'];

/**
 * Chooses the account. An ordinary user runs Postgres as itself. Root hands it to `postgres`, else `nobody`; where that user
 * cannot reach the files (a clone below /root), it keeps its uid but may traverse folders (CAP_DAC_OVERRIDE).
 * @throws Error in words when no way works; nothing was changed.
 */
export async function postgresAccount(program: string, folder: string): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return { owner: undefined, command: (file, args) => ({ file, args: [...args] }) };
  const owner = await unprivileged();
  const plain: PostgresAccount = {
    owner,
    command: (file, args) => ({ file, args: [...args], uid: owner.uid, gid: owner.gid }),
  };
  if (await works(plain, program, folder)) return plain;
  const traversing: PostgresAccount = {
    owner,
    command: (file, args) => ({ file: 'setpriv', args: [...traverse(owner.uid, owner.gid), file, ...args] }),
  };
  if (await works(traversing, program, folder)) return traversing;
  throw new Error(
    `Postgres cannot run as uid ${owner.uid}: it cannot reach ${program} or ${folder}. ` +
      'Put the clone where other users may read it (not below /root), or install util-linux (setpriv).',
  );
}

/** `no_setuid_fixup`: else access(2), by which initdb looks for its programs, ignores the capability. */
function traverse(uid: number, gid: number): string[] {
  const capability = '+dac_override';
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  return [
    ...identity,
    `--inh-caps=${capability}`,
    `--ambient-caps=${capability}`,
    '--securebits=+no_setuid_fixup',
    '--',
  ];
}

async function works(account: PostgresAccount, program: string, folder: string): Promise<boolean> {
  const script = '"$1" --version && test -x "$2"';
  const { file, args, uid, gid } = account.command('/bin/sh', ['-c', script, 'sh', program, folder]);
  const as = uid === undefined ? {} : { uid, gid: gid ?? uid };
  return run(file, args, { ...as, cwd: '/', timeout: 10_000 }).then(
    () => true,
    () => false,
  );
}

async function unprivileged(): Promise<{ uid: number; gid: number }> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of accountNames) {
    const user = users.find((fields) => fields[0] === name);
    if (user) return { uid: Number(user[2]), gid: Number(user[3]) };
  }
  throw new Error(
    `Postgres does not run as root, and none of the users ${accountNames.join(', ')} exists. Create one.`,
  );
}
