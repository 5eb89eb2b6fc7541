import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '@das/platform';
import { ServiceProcess } from './service-process.js';

/** Stands for a service: tells where it listens, and writes a line at each start. */
const program = `
import { appendFileSync } from 'node:fs';
process.on('disconnect', () => process.exit(1));
process.on('SIGTERM', () => process.exit(0));
const { FAKE, STARTS, DAS_REST_PORT, DAS_NODE_SERVICES, DAS_NODE_PROCESSES } = process.env;
appendFileSync(STARTS, [process.pid, DAS_REST_PORT, DAS_NODE_SERVICES, DAS_NODE_PROCESSES].join(' ') + '\\n');
if (FAKE === 'fails') process.send({ kind: 'failed', message: 'executor could not start: no python' }, () => process.exit(1));
else if (FAKE === 'dies') process.exit(7);
else process.send({ kind: 'started', rest: 'http://127.0.0.1:4567' });
setInterval(() => {}, 1000);
`;

describe('a service in a process of its own', () => {
  let folder: string;
  let services: ServiceProcess[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'das-service-'));
    services = [];
    writeFileSync(join(folder, 'main.mjs'), program);
  });
  afterEach(async () => {
    await Promise.all(services.map((service) => service.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  const pidFile = () => join(folder, 'pids', 'node-1-executor.pid');
  const starts = () => readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n');
  const make = (note: (message: string) => void = () => undefined, fake = ''): ServiceProcess => {
    const service = new ServiceProcess({
      name: 'executor',
      program: join(folder, 'main.mjs'),
      env: { PATH: process.env['PATH'], STARTS: join(folder, 'starts'), FAKE: fake, DAS_REST_PORT: '0' },
      pidFile: pidFile(),
      clock: new SystemClock(),
      note,
    });
    services.push(service);
    return service;
  };

  it('hosts just that service, and leaves its pid where tests find it', async () => {
    const service = make();
    await service.start();
    const pid = readFileSync(pidFile(), 'utf8').trim();
    expect(starts()).toEqual([`${pid} 0 executor single`]);
    expect(service.rest).toBe('http://127.0.0.1:4567');
  });

  it('ends with its pid file', async () => {
    const service = make();
    await service.start();
    const pid = Number(readFileSync(pidFile(), 'utf8'));
    await service.stop();
    expect(() => process.kill(pid, 0)).toThrow();
    expect(existsSync(pidFile())).toBe(false);
  });

  it('is started again on the same port when it dies alone', async () => {
    const notes: string[] = [];
    const service = make((message) => notes.push(message));
    await service.start();
    const first = Number(readFileSync(pidFile(), 'utf8'));
    process.kill(first, 'SIGKILL');
    for (const until = Date.now() + 10_000; starts().length < 2 && Date.now() < until;)
      await new Promise((done) => setTimeout(done, 20));
    expect(starts()).toEqual([`${first} 0 executor single`, expect.stringMatching(/^\d+ 4567 executor single$/)]);
    expect(notes).toEqual(['executor died; starting it again in 250 ms']);
  });

  it.each([
    ['fails', /executor could not start: no python/],
    ['dies', /executor: its process ended \(7\)/],
  ])('tells why it does not start (%s)', async (fake, why) => {
    await expect(make(undefined, fake).start()).rejects.toThrow(why);
  });
});
