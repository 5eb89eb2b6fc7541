import type { NodeId } from '@das/kernel';
import type { ElectionEvent } from '../core/types.js';
import type { Judge } from './judge.js';
import type { Links } from './links.js';
import type { VirtualTime } from './virtual-time.js';

/** How long one try of a call to the store lasts (ms). */
const tryMs = 400;
/** As many as `ServiceBus.call` makes in its time. */
const triesMax = 3;
/** Wait before the current term is asked for again, as the shell does (ms). */
const readAgainMs = 2_000;

/** Who asks, in which of its lives: an answer to a node that was restarted meanwhile is nobody's. */
export interface Asker {
  readonly name: NodeId;
  readonly life: number;
  /** The asker's own clock. */
  readonly mono: () => number;
}

/** The store as elections know it, behind links that lose requests and answers. It may be away. */
export class SimStore {
  term = 0;
  holder: NodeId | undefined;
  away = false;

  constructor(
    private readonly time: VirtualTime,
    private readonly links: Links,
    private readonly judge: Judge,
    private readonly fenced: boolean,
    private readonly answer: (to: Asker, event: ElectionEvent) => void,
  ) {}

  /** Reads the current term, again and again until it is told. */
  read(asker: Asker): void {
    this.#ask(asker, undefined, () => ({ kind: 'termSeen', term: this.term, leader: this.holder }));
  }

  /** Answers after a while; the answer may be lost although the claim was granted. */
  claim(asker: Asker, above: number): void {
    const startedAt = asker.mono();
    this.#ask(asker, { kind: 'claimFailed', above }, () => {
      const granted = this.term === above;
      if (granted) {
        this.term += 1;
        this.holder = asker.name;
        this.judge.granted(this.term, asker.name);
      }
      const { term, holder: leader } = this;
      if (granted) this.judge.confirmed(asker.name, term, startedAt);
      return { kind: 'termClaimed', above, granted, term, leader };
    });
  }

  renew(asker: Asker, asked: number): void {
    const startedAt = asker.mono();
    this.#ask(asker, { kind: 'renewFailed', asked }, () => {
      const { term, holder: leader } = this;
      const held = term === asked && leader === asker.name;
      if (held) this.judge.confirmed(asker.name, term, startedAt);
      return { kind: 'renewed', asked, held, term, leader };
    });
  }

  /** A leader's act arrives, whenever: it takes effect in the transaction that looks at the term. */
  act(node: NodeId, term: number): void {
    if (this.fenced && (term !== this.term || node !== this.holder)) return;
    this.judge.tookEffect(node, term);
  }

  /** As `ServiceBus.call` does it: the same request again, then a failure. A try whose answer is lost has happened all the same. */
  #ask(asker: Asker, failed: ElectionEvent | undefined, act: () => ElectionEvent, triesLeft = triesMax): void {
    const again = (): void => {
      if (triesLeft > 1) this.#ask(asker, failed, act, triesLeft - 1);
      else if (failed !== undefined) this.answer(asker, failed);
      else this.time.after(readAgainMs, () => this.#ask(asker, failed, act));
    };
    this.time.after(this.links.delay(), () => {
      const unreachable = this.away || this.links.isCut(asker.name, 'store');
      const answer = unreachable ? undefined : act();
      if (answer === undefined || this.links.loses()) this.time.after(tryMs, again);
      else this.time.after(this.links.delay(), () => this.answer(asker, answer));
    });
  }
}
