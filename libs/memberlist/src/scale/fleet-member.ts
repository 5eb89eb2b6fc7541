import { inOrder } from '../core/codec/in-order.js';
import type { PushPull } from '../core/codec/stream-message.js';
import type { Effect } from '../core/effects.js';
import type { NodeEvent } from '../core/events.js';
import type { Node } from '../core/node.js';
import { localPushPull } from '../core/push-pull.js';
import { nextWake, step } from '../core/step.js';
import type { Address, Rng } from '../core/types.js';
import { Alarm } from '../engine/alarm.js';
import type { VirtualClock } from '../memory/virtual-clock.js';
import { messageOf } from './shared-messages.js';

/** How a member is slow: `blocked` in what it sends and receives while its timers go on, or `stopped` as by SIGSTOP. */
export type Slowness = 'blocked' | 'stopped';

/** Who performs what the members of a fleet decide. */
export interface FleetOwner {
  perform(member: FleetMember, effect: Effect): void;
}

/** One member of a fleet: the real core, and as little around it as goes. */
export class FleetMember {
  readonly #alarm: Alarm;
  /** Killed: nothing of it runs any more. */
  killed = false;
  /** Made slow by the experiment. */
  slow = false;
  /** What waits while messages are held; nothing is held otherwise. */
  #held: (() => void)[] | undefined;

  constructor(
    readonly node: Node,
    readonly address: Address,
    private readonly clock: VirtualClock,
    private readonly rng: Rng,
    private readonly owner: FleetOwner,
    pauseRule: boolean,
  ) {
    const lateAfterMs = pauseRule ? node.config.probeTimeoutMs / 2 : Infinity;
    this.#alarm = new Alarm(clock, lateAfterMs, {
      wake: () => this.run({ kind: 'wake' }),
      paused: (lateMs) => this.run({ kind: 'paused', lateMs }),
    });
    step(node, { kind: 'start', address, meta: new Uint8Array(0) }, clock.now(), rng);
    // Everyone knows everyone already: nobody has to be told that we are there.
    node.queue.reset();
    this.#alarm.arm(nextWake(node));
  }

  get name(): string {
    return this.node.config.name;
  }

  run(event: NodeEvent): void {
    if (this.killed) return;
    for (const effect of step(this.node, event, this.clock.now(), this.rng)) {
      this.#passing(() => this.owner.perform(this, effect));
    }
    this.#alarm.arm(nextWake(this.node));
  }

  /** A datagram arrived. */
  receive(messages: readonly Uint8Array[], from: Address): void {
    this.#deliver(() => {
      for (const message of inOrder(messages.map(messageOf))) this.run({ kind: 'message', from, message });
    });
  }

  /** Something arrived on a stream; what follows runs once this process does. */
  #deliver(what: () => void): void {
    if (!this.killed) this.clock.deliver(() => this.#passing(what));
  }

  #passing(what: () => void): void {
    if (this.#held === undefined) what();
    else this.#held.push(what);
  }

  /** Someone pings over a stream. */
  streamPing(answer: () => void): void {
    this.#deliver(answer);
  }

  /** Someone's whole state; ours goes out before theirs is taken in. */
  pushPull(remote: PushPull, answer: ((own: PushPull) => void) | undefined): void {
    this.#deliver(() => {
      answer?.(localPushPull(this.node, remote.join));
      this.run({ kind: 'pushPull', remote });
    });
  }

  /** Ends it as SIGKILL does. */
  kill(): void {
    this.killed = true;
    this.#alarm.cancel();
  }

  /** Makes it slow: until {@link resume} messages wait, in and out; of a stopped process its timers too. */
  pause(how: Slowness): void {
    if (how === 'stopped') this.clock.pause();
    else this.#held = [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
    this.clock.resume();
  }
}
