import { SystemClock } from './clock.js';
import { newId } from './ids.js';
import { createLogger } from './logging.js';
import { NestLogger } from './nest-logger.js';
import { WarningRelay } from './warning-relay.js';
import { FakeClock } from '@das/testing';

describe('SystemClock', () => {
  const clock = new SystemClock();

  it('fires a timer once, not before its time', async () => {
    const start = clock.monotonic();
    await new Promise<void>((resolve) => clock.timer(20, resolve));
    expect(clock.monotonic() - start).toBeGreaterThanOrEqual(20);
  });

  it('does not fire a cancelled timer', async () => {
    let fired = false;
    clock.timer(1, () => (fired = true))();
    await new Promise<void>((resolve) => clock.timer(5, resolve));
    expect(fired).toBe(false);
  });

  it('repeats until cancelled', async () => {
    const start = clock.monotonic();
    const at: number[] = [];
    await new Promise<void>((resolve) => {
      const cancel = clock.every(5, () => {
        at.push(clock.monotonic() - start);
        if (at.length < 3) return;
        cancel();
        resolve();
      });
    });
    expect(at).toHaveLength(3);
    expect(at[2]).toBeGreaterThanOrEqual(15);
  });

  it("waits longer than the runtime's own timer can", () => {
    const cancel = clock.timer(2 ** 40, () => undefined);
    cancel();
    expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
  });
});

describe('newId', () => {
  it('is 22 characters fit for a subject token, and new each time', () => {
    const ids = Array.from({ length: 2_000 }, newId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });
});

/** A logger whose lines the test reads. */
function logged(level: 'debug' | 'info' = 'info') {
  const lines: Record<string, unknown>[] = [];
  const warnings: string[] = [];
  const log = createLogger({
    node: 'n1',
    service: 'executor',
    level,
    destination: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
    onWarning: (severity, message) => warnings.push(`${severity} ${message}`),
  });
  return { log, lines, warnings };
}

describe('createLogger', () => {
  it('writes JSON lines with node, service, level, UTC time, fields and message', () => {
    const { log, lines } = logged();
    log.info({ job: 'j1', part: 'map:0-1' }, 'done');
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
        node: 'n1',
        service: 'executor',
        job: 'j1',
        part: 'map:0-1',
        message: 'done',
      },
    ]);
  });

  it('leaves out what is below its level, and passes warnings and errors on', () => {
    const { log, lines, warnings } = logged();
    log.debug({}, 'd');
    log.warn({}, 'w');
    log.error({ err: new TypeError('oops') }, 'e');
    expect(lines.map(({ message }) => message)).toEqual(['w', 'e']);
    expect(lines[1]?.['err']).toMatchObject({ type: 'TypeError', message: 'oops' });
    expect(warnings).toEqual(['warn w', 'error e']);
  });
});

describe('NestLogger', () => {
  it("keeps Nest's start-up lines to debug, and its errors with context and stack", () => {
    const { log, lines } = logged('debug');
    const nest = new NestLogger(log);
    nest.log('Mapped {/v1/jobs, POST} route', 'RouterExplorer');
    nest.error('failed', 'Error: x\n    at y (z.js:1:1)', 'ExceptionsHandler');
    nest.warn({ odd: true });
    expect(lines).toMatchObject([
      { level: 'debug', context: 'RouterExplorer' },
      {
        level: 'error',
        message: 'failed',
        context: 'ExceptionsHandler',
        stack: expect.stringContaining('at y') as string,
      },
      { level: 'warn', message: '{"odd":true}' },
    ]);
  });
});

describe('WarningRelay', () => {
  it('passes nothing before it is open, then at most ten a second', () => {
    const clock = new FakeClock();
    const relay = new WarningRelay();
    const told: string[] = [];
    relay.pass('warn', 'early');
    relay.open(clock, (_level, message) => void told.push(message));
    for (let n = 0; n < 20; n += 1) relay.pass('warn', `w${n}`);
    expect(told).toEqual(Array.from({ length: 10 }, (_, n) => `w${n}`));
    clock.advance(1_000);
    relay.pass('error', 'x'.repeat(5_000));
    expect(told.at(-1)).toHaveLength(4_000);
  });
});
