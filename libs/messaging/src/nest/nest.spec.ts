import { Fault, announcement, operation } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { FakeClock, settled } from '@das/testing';
import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Inject,
  type NestInterceptor,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { map } from 'rxjs';
import { z } from 'zod';
import { MemoryHub } from '../memory/hub.js';
import type { Answer, CallContext } from '../ports/service-bus.js';
import { ServiceBusOver } from '../typed/service-bus-over.js';
import { BusStrategy } from './bus-strategy.js';
import { Answers, Hears } from './decorators.js';

const number = z.object({ n: z.number() });
const add = operation('jobs.add', number, number);
const block = operation('jobs.block', number, number);
const guarded = operation('jobs.guarded', number, number);
const mapped = operation('jobs.mapped', number, number);
const failing = operation('jobs.failing', number, number);
const beat = announcement('telemetry.beat', number);
type Num = z.infer<typeof number>;

class Refuse implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (context.switchToRpc().getData<Num>().n > 1) throw new Fault('UNAUTHORIZED', 'too much');
    return true;
  }
}
class AddHundred implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<Num>) {
    return next.handle().pipe(map(({ n }) => ({ n: n + 100 })));
  }
}

@Controller()
class Numbers {
  readonly told: unknown[] = [];
  constructor(@Inject('base') private readonly base: number) {}

  @Answers(add)
  async add({ n }: Num, context: CallContext): Promise<Num> {
    this.told.push(context.from);
    return { n: n + this.base };
  }
  @Answers(block)
  block({ n }: Num, { raw }: CallContext): Answer<Num> {
    return { body: { n }, raw: Buffer.concat([raw, raw]) };
  }
  @UseGuards(Refuse)
  @Answers(guarded)
  guarded(body: Num): Num {
    return body;
  }
  @Answers(mapped)
  @UseInterceptors(AddHundred)
  mapped(body: Num): Num {
    return body;
  }
  @Answers(failing)
  failing({ n }: Num): Num {
    if (n === 0) throw new Fault('JOB_ENDED', 'over', { hint: 'h' });
    throw new TypeError('oops');
  }
  @Hears(beat, {
    onGap(this: Numbers, from) {
      this.told.push(`gap ${from}`);
    },
  })
  beat({ n }: Num): void {
    if (n < 0) throw new TypeError('bad beat');
    this.told.push(n);
  }
}

async function application(controller: new (...args: never[]) => object = Numbers) {
  const clock = new FakeClock();
  const hub = new MemoryHub(clock);
  let ids = 0;
  const bus = (service: string) =>
    new ServiceBusOver(hub.connect(), { node: nodeId('n1'), service }, clock, () => `id-${++ids}`);
  const module = await Test.createTestingModule({
    controllers: [controller],
    providers: [{ provide: 'base', useValue: 10 }],
  }).compile();
  const errors: unknown[] = [];
  const log = { warn: () => undefined, error: (_fields: object, text: string) => void errors.push(text) };
  const served = bus('numbers');
  const app = module.createNestMicroservice({ strategy: new BusStrategy(served, log), logger: false });
  return { app, module, errors, caller: bus('cli'), served };
}

describe('Nest over the bus', () => {
  it("answers by controllers with injected providers, and hands them the call's context", async () => {
    const { app, module, caller } = await application();
    await app.listen();
    expect((await caller.call(add, { n: 1 })).body).toEqual({ n: 11 });
    expect(module.get(Numbers).told).toEqual(['n1/cli']);
    await app.close();
  });

  it('carries raw blocks', async () => {
    const { app, caller } = await application();
    await app.listen();
    const answer = await caller.call(block, { n: 1 }, { raw: Buffer.from('ab') });
    expect(Buffer.from(answer.raw).toString()).toBe('abab');
    await app.close();
  });

  it('runs guards and interceptors', async () => {
    const { app, caller } = await application();
    await app.listen();
    expect((await caller.call(guarded, { n: 1 })).body).toEqual({ n: 1 });
    await expect(caller.call(guarded, { n: 2 })).rejects.toMatchObject({ code: 'UNAUTHORIZED', message: 'too much' });
    expect((await caller.call(mapped, { n: 1 })).body).toEqual({ n: 101 });
    await app.close();
  });

  it('throws faults across as they are, and other failures as INTERNAL', async () => {
    const { app, caller } = await application();
    await app.listen();
    await expect(caller.call(failing, { n: 0 })).rejects.toMatchObject({
      code: 'JOB_ENDED',
      message: 'over',
      hint: 'h',
    });
    await expect(caller.call(failing, { n: 1 })).rejects.toMatchObject({ code: 'INTERNAL' });
    await app.close();
  });

  it('hears announcements, reports gaps to the controller, and survives a failing listener with a log line', async () => {
    const { app, module, caller, errors } = await application();
    await app.listen();
    caller.tell(beat, { n: 1 });
    caller.tell(beat, { n: -1 });
    await settled();
    await app.close();
    await settled();
    expect(module.get(Numbers).told).toEqual([1]);
    expect(errors).toEqual(['telemetry.beat: listener failed: bad beat']);
  });

  it('calls onGap with the controller before the announcement after a loss', async () => {
    const { app, module, served, caller } = await application();
    caller.tell(beat, { n: 1 });
    await app.listen();
    caller.tell(beat, { n: 2 });
    await settled();
    expect(module.get(Numbers).told).toEqual(['gap n1/cli', 2]);
    await app.close();
    await served.close();
  });

  it('answers no more once the application is closed', async () => {
    const { app, caller } = await application();
    await app.listen();
    await app.close();
    await settled();
    await expect(caller.call(add, { n: 1 }, { timeoutMs: 0 })).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
  });

  it('refuses a handler without a contract at start', async () => {
    @Controller()
    class Foreign {
      @MessagePattern('foreign')
      foreign(): void {}
    }
    const { app } = await application(Foreign);
    await expect(app.listen()).rejects.toThrow(/foreign lacks its contract/);
  });
});
