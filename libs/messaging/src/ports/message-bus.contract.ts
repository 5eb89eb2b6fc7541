import type { MessageBus } from './message-bus.js';
import { deliveryContract, orderContract } from './contract/delivery.contract.js';
import { lifecycleContract } from './contract/lifecycle.contract.js';
import { payloadsContract } from './contract/payloads.contract.js';
import { requestsContract } from './contract/requests.contract.js';
import type { BusHarness } from './contract/tools.contract.js';

/** Every adapter of {@link MessageBus} passes this. `start` is asked once per test. */
export function messageBusContract(name: string, start: () => Promise<BusHarness>): void {
  describe(`MessageBus contract: ${name}`, () => {
    const open: MessageBus[] = [];
    let harness: BusHarness;
    const bench = (): BusHarness => ({
      ...harness,
      connect: async () => {
        const bus = await harness.connect();
        open.push(bus);
        return bus;
      },
    });
    beforeEach(async () => {
      harness = await start();
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((bus) => bus.close()));
    });
    deliveryContract(bench);
    orderContract(bench);
    requestsContract(bench);
    payloadsContract(bench);
    lifecycleContract(bench);
  });
}
