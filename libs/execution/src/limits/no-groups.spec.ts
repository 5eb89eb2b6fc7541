import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { wardenPath } from '../python/package-files.js';

const run = promisify(execFile);
const hangsMs = 20_000;

/** Ordinary folders stand for control groups: what matters here is who may hold what, and what is told. */
const around = `
import fcntl, json, os, sys
sys.path.insert(0, sys.argv[1])
import das_cgroups, das_group, das_locks
base, locks = os.path.join(sys.argv[2], 'base'), os.path.join(sys.argv[2], 'locks')
os.mkdir(base), os.mkdir(locks)
das_group.ALONE_S = 0.05
kind = das_group.UnifiedGroup
das_cgroups.hierarchies = lambda: [(kind, base, ['memory', 'pids'])]
at = os.stat(base)
lock = os.path.join(locks, 'das-groups-%d-%d.lock' % (at.st_dev, at.st_ino))
limits = {'memoryBytes': 1, 'processes': 1}
def tell(*values): print(json.dumps(values))
`;
const whole = { grouped: ['memory', 'processes'], why: [] };

describe('where control groups cannot be had', () => {
  let folder: string;
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'das-no-groups-'))));
  afterEach(() => rm(folder, { recursive: true }));
  const told = async (program: string): Promise<unknown> => {
    const args = ['-I', '-B', '-c', around + program, dirname(wardenPath), folder];
    const { stdout } = await run('/usr/bin/python3', args, { timeout: hangsMs });
    return JSON.parse(stdout) as unknown;
  };

  it('nobody is kept waiting by who locks their folder, which everybody may', async () => {
    const program = `
fcntl.flock(os.open(base, os.O_RDONLY), fcntl.LOCK_EX)
groups = das_cgroups.find(locks)
modes = [oct(os.stat(os.path.join(locks, name)).st_mode & 0o777) for name in os.listdir(locks)]
groups.close()
tell(groups.bound(), modes, os.listdir(locks))`;
    expect(await told(program)).toEqual([whole, [], []]);
  });

  it('a lock of ours is for our account alone while it is held, and nothing is left of it', async () => {
    const program = `
with das_locks.held(lock, 1):
    mode = os.stat(lock).st_mode & 0o777
    second = das_locks.hold(lock)
tell(mode, second, os.listdir(locks))`;
    expect(await told(program)).toEqual([0o600, null, []]);
  });

  it.each([
    ['held for too long', 'handle = das_locks.hold(lock)', 'somebody holds it for too long'],
    ['one that others may open', "open(lock, 'w').close(); os.chmod(lock, 0o644)", 'another account could hold it'],
    ['a link', "os.symlink('/dev/null', lock)", 'Too many levels of symbolic links'],
  ])('a lock that is no good is done without, and why is told once: %s', async (_, make, why) => {
    const program = `
${make}
groups = das_cgroups.find(locks)
tell(groups.bound(), groups.bound()['why'], os.listdir(base))
groups.close()`;
    expect(await told(program)).toEqual([
      { grouped: [], why: [expect.stringMatching(new RegExp(`^memory and processes: ${why} \\(.*\\.lock\\)$`))] },
      [],
      [],
    ]);
  });

  it('one that belongs to another account is not taken', async () => {
    const program = `
das_locks.os.geteuid = lambda: os.getuid() + 1
groups = das_cgroups.find(locks)
tell(groups.bound())`;
    expect(await told(program)).toEqual([
      { grouped: [], why: [expect.stringContaining('another account could hold it')] },
    ]);
  });

  it('a worker that cannot be put into its group is told once, and nothing is said to be bounded any more', async () => {
    const program = `
kind = das_group.Group
groups = das_cgroups.find(locks)
before = groups.bound()
for name in os.listdir(base): os.rmdir(os.path.join(base, name))
tell(before, groups.add(4000001, limits), groups.bound(), groups.add(4000002, limits), groups.bound()['why'])`;
    const why = expect.stringMatching(/^memory and processes: No such file or directory .*, from a worker on/);
    expect(await told(program)).toEqual([whole, true, { grouped: [], why: [why] }, false, []]);
  });

  it('a worker that has ended is nothing to tell', async () => {
    const program = `
kind = das_group.Group
groups = das_cgroups.find(locks)
def gone(*_): raise ProcessLookupError(3, 'No such process')
das_cgroups.write = gone
tell(groups.add(4000001, limits), groups.bound())`;
    expect(await told(program)).toEqual([false, whole]);
  });
});
