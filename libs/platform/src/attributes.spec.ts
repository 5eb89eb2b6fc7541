import { type BodyOf, nodeAttributes } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { MemoryEventLog, MemoryHub, ServiceBusOver } from '@das/messaging';
import { FakeClock } from '@das/testing';
import { Module } from '@nestjs/common';
import { attributesEveryMs } from './attributes.js';
import { newId, randomKey } from './ids.js';
import type { ServiceContext } from './service.js';
import { startService } from './start-service.js';

@Module({})
class Nothing {}

it('tells that a service is up, and what it adds to its node, when it is news and every 10 s, until it ends', async () => {
  const clock = new FakeClock();
  const hub = new MemoryHub(clock);
  const quiet = (): void => undefined;
  const heard: BodyOf<typeof nodeAttributes>[] = [];
  const bus = new ServiceBusOver(hub.connect(), { node: nodeId('n1'), service: 'test' }, clock, newId);
  await bus.hear(nodeAttributes, (told) => heard.push(told));
  let context: ServiceContext | undefined;
  const service = await startService(
    {
      name: 'executor',
      module: (given) => {
        context = given;
        given.describe({ slots: 2 });
        return { module: Nothing };
      },
    },
    { DAS_NODE: 'n1' },
    {
      transport: { bus: hub.connect(), events: new MemoryEventLog() },
      clock,
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    },
  );
  await clock.advanceAsync(0);
  expect(heard).toEqual([{ service: 'executor', slots: 2 }]);
  context?.describe({ rest: 'http://a' });
  await clock.advanceAsync(attributesEveryMs);
  const whole = { service: 'executor', slots: 2, rest: 'http://a' };
  expect(heard.slice(1)).toEqual([whole, whole]);
  await service.close();
  await clock.advanceAsync(3 * attributesEveryMs);
  expect([heard.length, clock.pending]).toEqual([3, 0]);
});

it('makes secrets of the size asked for, each another', () => {
  expect(randomKey(32)).toHaveLength(32);
  expect(randomKey(32)).not.toEqual(randomKey(32));
});
