import type { ResourceLimits } from '@das/contracts';
import { SystemClock, newId } from '@das/platform';
import { type Limited, at3, limited, plainCommand, shellAt3 } from '../testing/limited.js';
import { byOrdinaryAccount } from '../testing/by-ordinary-account.js';
import { type Birth, births } from '../testing/worker-bench.js';

const mib = 1024 * 1024;
const memory: ResourceLimits = { memoryBytes: 128 * mib };
const file: ResourceLimits = { fileBytes: mib };
const result: ResourceLimits = { itemOutputBytes: 4096 };
const memoryWords = 'item 3: needed more than 128 MiB of memory (limit of the job; raise --memory)';
const fileWords = 'item 3: wrote a file of more than 1 MiB (limit of the job; raise --file-size)';
const resultWords = 'item 3: gave a result of more than 4 KiB (limit of the job; raise --item-output)';

const asRoot = process.getuid?.() === 0;
/** By an ordinary account, only in rooms: elsewhere processes of workers are counted with all those of their user. */
const countsProcesses = (how: Birth): boolean => asRoot || how === 'bwrap';

describe.each(births)('limits of a worker by %s', (how) => {
  let jobs: Limited;
  beforeAll(async () => {
    jobs = await limited(new SystemClock(), newId, how);
  }, 30_000);
  afterAll(() => jobs.close(), 30_000);
  // The next job finds a worker that does as it is told.
  afterEach(async () => expect((await jobs.ran('def map(item): return item\n', {})).lines.length).toBe(6));

  it.each([
    ['memory', 'bytearray(300 * 1024 * 1024)', memory, `${memoryWords}: MemoryError`],
    ['a file', 'open("x", "wb").write(bytes(2 << 20))', file, `${fileWords}: OSError: [Errno 27] File too large`],
    ['a result', 'return "x" * 5000', result, resultWords],
  ])('tell a script that it reached that of %s, by its item, and go on', async (_, act, limits, message) => {
    const { lines, failures } = await jobs.ran(at3(act), limits);
    expect(lines).toEqual(['0', '1', '2', '4', '5']);
    expect(failures).toMatchObject([{ item: 3, code: 'ITEM_LIMIT', message, hint: expect.any(String) }]);
  });

  it.each([
    ['memory', 'python3 -c "bytearray(300 << 20)" || exit 1', memory, memoryWords],
    ['a file', 'head -c 3000000 /dev/zero > x || exit 1', file, fileWords],
    ['a result', 'head -c 5000 /dev/zero | tr "\\0" x', result, resultWords],
  ])('tell which item of a command reached that of %s, and go on', async (_, act, limits, message) => {
    const { lines, failures } = await jobs.ran(shellAt3(act), limits, plainCommand);
    expect(lines).toEqual(['"0"', '"1"', '"2"', '"4"', '"5"']);
    expect(failures).toMatchObject([{ item: 3, code: 'ITEM_LIMIT', message: expect.stringContaining(message) }]);
  });

  (countsProcesses(how) ? it : it.skip)(
    'stop a script that starts too many, and a fork bomb',
    async () => {
      const many = at3('[threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(200)]');
      const { failures, lines } = await jobs.ran(many, { processes: 32 });
      expect(lines.length).toBe(5);
      const message = expect.stringContaining('item 3: needed more than 32 processes and threads (limit of the job');
      expect(failures).toMatchObject([{ item: 3, code: 'ITEM_LIMIT', message }]);
      const bomb = await jobs.ran(shellAt3('b() { b | b & }; b; sleep 0.2'), { processes: 24 }, plainCommand);
      expect(bomb.end.kind).toBe('ended');
    },
    30_000,
  );

  it('are lowered for good: no script raises them again', async () => {
    const raise =
      'import resource\ndef map(item):\n    try: resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))\n    except ValueError as e: return str(e)\n';
    expect((await jobs.ran(raise, file)).lines[0]).toContain('not allowed');
  });
});

(asRoot ? it : it.skip)(
  'none of the limits is different where the node is started by an ordinary account',
  async () => {
    const { passed, said } = await byOrdinaryAccount('limits/limits', process.env);
    expect([passed, said]).toEqual([true, expect.stringContaining('4 skipped, ')]);
  },
  180_000,
);
