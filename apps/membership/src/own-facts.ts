import type { BodyOf, nodeAttributes } from '@das/contracts';
import type { Cancel } from '@das/kernel';
import { type ServiceContext, attributesEveryMs } from '@das/platform';
import { membershipLimits } from './limits.js';
import type { Labels } from './core/labels.js';
import { type MemberFacts, encodeMeta } from './core/meta.js';
import { OwnServices } from './core/own-services.js';
import type { Notes } from './notes.js';
import { version } from './version.js';

/** What this node says of itself in gossip: told by its services, passed on when it changed, and at most once a second. */
export class OwnFacts {
  readonly startedAt: number;
  readonly #services: OwnServices;
  readonly #cancels: Cancel[] = [];
  #rest: string | undefined;
  #slots: number | undefined;
  #told = '';
  #toldAt = Number.NEGATIVE_INFINITY;
  #cancelUpdate: Cancel | undefined;

  constructor(
    private readonly context: Pick<ServiceContext, 'bus' | 'clock' | 'service'>,
    private readonly labels: Labels,
    private readonly notes: Notes,
  ) {
    this.startedAt = context.clock.now();
    this.#services = new OwnServices(context.service, membershipLimits.serviceSilentMs);
  }

  /** `spread` is called when there is news, after {@link bytes} was made to hold it. */
  start(spread: () => void): void {
    const { bus, clock } = this.context;
    this.#spread = spread;
    this.#cancels.push(bus.onConnection((up) => this.#services.connection(up, clock.monotonic())));
    // A service that fell silent is news as well, and nobody tells it.
    this.#cancels.push(clock.every(attributesEveryMs, () => this.#look()));
  }

  stop(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#cancelUpdate?.();
    this.#cancelUpdate = undefined;
    this.#spread = undefined;
  }

  heard({ service, rest, slots }: BodyOf<typeof nodeAttributes>): void {
    if (service !== undefined) this.#services.heard(service, this.context.clock.monotonic());
    this.#rest = rest ?? this.#rest;
    this.#slots = slots ?? this.#slots;
    this.#look();
  }

  /** The attributes as gossip carries them. */
  bytes(limit: number): Uint8Array {
    const { bytes, dropped } = encodeMeta(this.#facts(), limit);
    if (dropped.length > 0)
      this.notes.note('metaTooLarge', `there is no room for ${dropped.join(' and ')} in what this node says of itself`);
    this.#told = this.#key();
    this.#toldAt = this.context.clock.monotonic();
    return bytes;
  }

  #spread: (() => void) | undefined;

  #facts(): MemberFacts {
    const services = this.#services.names(this.context.clock.monotonic());
    return { version, startedAt: this.startedAt, rest: this.#rest, slots: this.#slots, services, labels: this.labels };
  }
  #key(): string {
    return JSON.stringify(this.#facts());
  }

  #look(): void {
    const { clock } = this.context;
    if (this.#spread === undefined || this.#cancelUpdate !== undefined || this.#key() === this.#told) return;
    const waitMs = Math.max(
      membershipLimits.gatherMs,
      this.#toldAt + membershipLimits.updateEveryMs - clock.monotonic(),
    );
    this.#cancelUpdate = clock.timer(waitMs, () => {
      this.#cancelUpdate = undefined;
      this.#spread?.();
    });
  }
}
