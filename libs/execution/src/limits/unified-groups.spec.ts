import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { newId } from '@das/platform';
import { wardenPath } from '../python/package-files.js';

const run = promisify(execFile);
const ordinary = 61_234;

/** Where groups of the second version are mounted and can be made, with a controller that is free there; whichever: all follow one rule. */
function unified(): { point: string; controller: string } | undefined {
  const mount = readFileSync('/proc/self/mounts', 'utf8').match(/^\S+ (\S+) cgroup2 /mu);
  try {
    const point = mount?.[1] ?? '';
    accessSync(join(point, 'cgroup.subtree_control'), constants.W_OK);
    const [controller] = readFileSync(join(point, 'cgroup.controllers'), 'utf8').split(/\s/u);
    return process.getuid?.() !== 0 || controller === undefined || controller === ''
      ? undefined
      : { point, controller };
  } catch {
    return undefined;
  }
}
const found = unified();
const suite = found === undefined ? describe.skip : describe;

/** Two executors of one group, one after the other: what each finds, and what they leave. The second knows where the first has moved it. */
const twoExecutors = `
import json, os, sys, tempfile
sys.path.insert(0, sys.argv[1])
from das_group import UnifiedGroup
from das_group_files import lines, members
base, controller = sys.argv[2:4]
locks = tempfile.mkdtemp()
at = lambda: [line.split(':')[2] for line in lines('/proc/self/cgroup') if line.startswith('0::')][0].rsplit('/', 1)[1]
first = UnifiedGroup(base, [controller], locks)
first.open()
second = UnifiedGroup(os.path.join(base, 'das-members'), [controller], locks)
second.home += '1'
second.open()
os.mkdir(first.path('worker'))
told = {'at': at(), 'worker': controller in lines(first.path('worker') + '/cgroup.controllers')[0].split()}
os.rmdir(first.path('worker'))
first.close()
told['while one is left'] = at()
second.close()
told['after'] = [at(), sorted(entry.name for entry in os.scandir(base) if entry.is_dir()), lines(base + '/cgroup.subtree_control')]
os.rmdir(locks)
print(json.dumps(told))
`;

/** Of a group that systemd has for a unit: whether it is used, by default and once it was handed over, and what is in it when it is not. */
const inUnit = `
import json, os, sys, tempfile
sys.path.insert(0, sys.argv[1])
from das_group import UnifiedGroup
base, controller = sys.argv[2:4]
locks = tempfile.mkdtemp()
def used():
    group = UnifiedGroup(base, [controller], locks)
    try:
        group.open()
    except OSError:
        return [entry.name for entry in os.scandir(base) if entry.is_dir()]
    group.close()
    return True
told = [used()]
os.setxattr(base, 'user.delegate', b'1')
told += [used()]
os.rmdir(locks)
print(json.dumps(told))
`;

suite(`control groups, version 2${found === undefined ? ' (none can be made here)' : ''}`, () => {
  /** What the program tells from inside a new group that the account was handed, which is gone afterwards. */
  const told = async (program: string, uid: number, ending: string): Promise<unknown> => {
    const { point, controller } = found!;
    const base = join(point, `das-trial-${newId()}${ending}`);
    const upper = readFileSync(join(point, 'cgroup.subtree_control'), 'utf8');
    mkdirSync(base);
    try {
      // As a service manager hands a group over to an account.
      const given = [base, ...['procs', 'threads', 'subtree_control'].map((file) => join(base, `cgroup.${file}`))];
      await Promise.all(given.map((path) => chown(path, uid, uid)));
      const account = `exec setpriv --reuid=${uid} --regid=${uid} --clear-groups "$@"`;
      const enter = `echo "+$3" > "$1/cgroup.subtree_control"; echo $$ > "$2/cgroup.procs"; shift 3; ${account}`;
      const python = ['/usr/bin/python3', '-I', '-B', '-c', program, dirname(wardenPath), base, controller];
      const { stdout } = await run('/bin/sh', ['-c', enter, 'sh', point, base, controller, ...python], { cwd: '/' });
      return JSON.parse(stdout) as unknown;
    } finally {
      await run('find', [base, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', '+']);
      if (!upper.split(/\s/u).includes(controller))
        await run('/bin/sh', ['-c', `echo "-${controller}" > "${point}/cgroup.subtree_control"`]);
    }
  };

  it.each([0, ordinary])('move what is in the group aside, and back in the end, as account %s', async (uid) => {
    expect(await told(twoExecutors, uid, '')).toEqual({
      at: 'das-members',
      worker: true,
      'while one is left': 'das-members',
      after: [expect.stringContaining('das-trial-'), [], []],
    });
  });

  it.each(['.service', '.scope'])(
    'are made in a unit of systemd only where that handed it over: %s',
    async (ending) => {
      expect(await told(inUnit, ordinary, ending)).toEqual([[], true]);
    },
  );
});
