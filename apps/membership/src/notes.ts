import type { Clock } from '@das/kernel';
import type { Address, EngineNote } from '@das/memberlist';
import { formatAddress, formatIp } from '@das/memberlist';
import type { Logger } from '@das/platform';
import { NoteLimiter } from './core/note-limiter.js';

/** What gossip itself notices, and what the service adds. */
export type NoteCode =
  | EngineNote['code']
  | 'nameConflict'
  | 'ownName'
  | 'portInUse'
  | 'seedUnresolved'
  | 'seedSilent'
  | 'joinFailed'
  | 'keysAdopted'
  | 'keysDiffer'
  | 'keysStale'
  | 'plaintext'
  | 'metaTooLarge';

type Level = 'debug' | 'info' | 'warn' | 'error';

/** How each is told to people. Codes without an entry are told as warnings, with their detail. */
const words: Partial<Record<NoteCode, readonly [Level, (detail: string) => string]>> = {
  'wire.decrypt': [
    'warn',
    (detail) => `gossip encrypted with a key that this node does not have (${detail}); das gossip keys list compares`,
  ],
  'wire.plaintext': ['warn', (detail) => `gossip that is not encrypted was refused (${detail})`],
  'wire.label': ['warn', (detail) => `gossip of another cluster was refused: its label is another (${detail})`],
  'wire.remote': ['warn', (detail) => `another node refused our gossip: ${detail}`],
  mergeRefused: ['warn', (detail) => `the members of another node were refused: ${detail}`],
  badVersions: ['warn', (detail) => `a member with a protocol version that makes no sense was refused: ${detail}`],
  publicPlaintext: ['warn', () => 'gossip is not encrypted, on a public address'],
  udpBroken: ['warn', (detail) => `datagrams do not get through, streams do: ${detail}`],
  internal: ['error', (detail) => `a defect in gossip: ${detail}`],
  paused: ['info', (detail) => `this process stood still: ${detail}`],
  refuted: ['info', (detail) => detail],
  pushPull: ['info', (detail) => `could not compare notes with a member: ${detail}`],
  stream: ['info', (detail) => detail],
  probeFailed: ['debug', (detail) => detail],
  unknownAck: ['debug', (detail) => detail],
  keysAdopted: ['info', (detail) => detail],
};

/** Counts what is noticed, by code, and tells it in words: at most once per code and machine in ten seconds, so that nobody can fill our log. */
export class Notes {
  readonly #counts = new Map<NoteCode, number>();
  readonly #limiter = new NoteLimiter();

  constructor(
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  /** How often each code came since the start. */
  get counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  /** `about`: what the lines of one code are told apart by, besides the machine of `peer`. */
  note(code: NoteCode, detail: string, peer?: Address, about = ''): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1);
    // By machine: who opens many streams has a new port for each.
    const machine = peer === undefined ? about : formatIp(peer.addr);
    const suppressed = this.#limiter.take(code, machine, this.clock.monotonic());
    if (suppressed === undefined) return;
    const [level, say] = words[code] ?? (['warn', (text: string) => text] as const);
    const from = peer === undefined ? '' : `; from ${formatAddress(peer)}`;
    const more = suppressed === 0 ? '' : `; ${suppressed} more like this in between`;
    this.log[level]({ code, suppressed }, `${say(detail.slice(0, 500))}${from}${more}`);
  }
}
