import { claimTerm, currentTerm, renewTerm } from '@das/contracts';
import type { CurrentTerm, TermAuthority } from '@das/election';
import type { ServiceBus } from '@das/messaging';

/** A claim may take longer than a renewal: until it is answered nobody leads anyway. */
const claimOptions = { tryMs: 500, timeoutMs: 1_500 };
/** Asked again every 400 ms, any answer counts; one that came later would leave less than a second of the three that a lease lasts. */
const renewOptions = { tryMs: 400, timeoutMs: 2_000 };

/** Terms granted by the results-store, over the bus. */
export class StoreTermAuthority implements TermAuthority {
  constructor(private readonly bus: ServiceBus) {}

  async claim(above: number): Promise<CurrentTerm & { readonly granted: boolean }> {
    return (await this.bus.call(claimTerm, { node: this.bus.node, above }, claimOptions)).body;
  }
  async renew(term: number): Promise<CurrentTerm & { readonly held: boolean }> {
    return (await this.bus.call(renewTerm, { node: this.bus.node, term }, renewOptions)).body;
  }
  async current(): Promise<CurrentTerm> {
    return (await this.bus.call(currentTerm, {}, claimOptions)).body;
  }
}
