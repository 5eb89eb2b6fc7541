import process from 'node:process';
import { SystemClock, newId } from '@das/platform';
import { byOrdinaryAccount } from '../testing/by-ordinary-account.js';
import { type Way, escapeWays } from '../testing/escapes/scripts.js';
import { type Escapes, tryEscapes } from '../testing/escapes/try-escapes.js';

const asRoot = process.getuid?.() === 0;
const all = (value: string, count: number): string[] => Array<string>(count).fill(value);
const denied = ['ptrace', 'mount', 'unshare', 'setns', 'chroot', 'bpf', 'keyctl', 'io_uring_setup', 'open_tree'];

/** What must come of each way out of a room. */
const inRoom: Record<Way, unknown> = {
  'reads the accounts of the machine': expect.stringMatching(/^das:x:\d+:\d+::\/tmp:\/bin\/sh\n$/),
  'reads home folders': all('ENOENT', 3),
  'reads a file of the machine that anybody may read': 'ENOENT',
  'looks into the folders of other workers': 'ENOENT',
  "looks for the executor's socket": [],
  "reads the executor's environment": 'ENOENT',
  "reads the executor's memory": 'EPERM',
  "reads its keeper's memory": all('EACCES', 2),
  'connects by TCP': 'EAFNOSUPPORT',
  'sends by UDP': 'EAFNOSUPPORT',
  'connects to an abstract socket of the machine': 'ECONNREFUSED',
  'connects to a socket of the machine by its path': 'ENOENT',
  'makes raw, packet and netlink sockets': all('refused', 3),
  'signals the executor': 'ESRCH',
  'signals its keeper': 'both live',
  'sees other processes': [1, 2],
  'writes outside its folder': [],
  'forks without end': 'EAGAIN',
  'takes all memory': 'MemoryError',
  'fills the disk': 'ENOSPC',
  'calls into the kernel': Object.fromEntries(denied.map((name) => [name, 'EPERM'])),
  // The kernel's own answer, where it has the call (Linux 6.5), is EBADF.
  'calls what is newer than the filter': 'ENOSYS',
  'makes a user namespace by clone': ['EPERM', 'ENOSYS'],
  'could get other rights': 1,
  'sees that a file is there': 'ENOENT',
};

/** As containers have them, whose own /proc is covered in places. */
const inBareRoom: Record<Way, unknown> = {
  ...inRoom,
  "reads its keeper's memory": all('ENOENT', 2),
  'sees other processes': [],
};

/** Landlock has no namespaces. What it does not stop is listed in docs/security.md, too. */
const shutIn: Record<Way, unknown> = {
  ...inRoom,
  'reads the accounts of the machine': 'EACCES',
  'reads home folders': all('EACCES', 3),
  'reads a file of the machine that anybody may read': 'EACCES',
  'looks into the folders of other workers': 'EACCES',
  "looks for the executor's socket": 'ENOENT',
  "reads the executor's environment": 'EACCES',
  'connects to an abstract socket of the machine': 'EAFNOSUPPORT',
  'connects to a socket of the machine by its path': 'EAFNOSUPPORT',
  // It learns that there is such a process.
  'signals the executor': 'EPERM',
  'sees other processes': 'EACCES',
  'fills the disk': 'not tried',
  // It learns that there is such a file, and how large it is.
  'sees that a file is there': true,
};

const layers: Array<[string, Record<Way, unknown>, () => Promise<Escapes>]> = [
  ['a room', inRoom, () => tryEscapes(new SystemClock(), newId, 'bwrap', true)],
  ['a room without /proc', inBareRoom, () => tryEscapes(new SystemClock(), newId, 'bwrap without /proc', true)],
  ['Landlock', shutIn, () => tryEscapes(new SystemClock(), newId, 'landlock', false)],
];
describe.each(layers)('a script in %s', (_name, expected, trying) => {
  let escapes: Escapes;
  beforeAll(async () => {
    escapes = await trying();
  }, 120_000);

  it.each(escapeWays)('%s: in vain, and the next job runs', (way) => {
    expect(escapes[way]).toEqual({ gave: expected[way], next: 'well' });
  });
});

(asRoot ? it : it.skip)(
  'none of it is different where the node is started by an ordinary account',
  async () => {
    const { passed, said } = await byOrdinaryAccount('sandbox/escapes', process.env);
    expect([passed, said]).toEqual([
      true,
      expect.stringContaining(`Tests:       1 skipped, ${layers.length * escapeWays.length} passed`),
    ]);
  },
  180_000,
);
