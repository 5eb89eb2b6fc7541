import type { Labels } from './labels.js';

/** What one of our nodes says of itself in the attributes that its gossip carries. */
export interface MemberFacts {
  readonly version: string;
  /** Start of its membership service (ms since 1970, by its own clock). */
  readonly startedAt: number;
  readonly rest?: string | undefined;
  readonly slots?: number | undefined;
  readonly services: readonly string[];
  readonly labels: Labels;
}

/** Names of services on the wire: six names would take a fifth of the room there is. */
const letters: Readonly<Record<string, string>> = {
  membership: 'm',
  election: 'e',
  'job-splitter': 'j',
  executor: 'x',
  'results-store': 'r',
  telemetry: 't',
};
const namesOf = new Map(Object.entries(letters).map(([name, letter]) => [letter, name]));

/** Marks the attributes as ours. */
const format = 'das1';

/**
 * The attributes as compact JSON of at most `bytesMax` bytes. What does not fit is left out, labels first, and named in `dropped`.
 * The essentials always fit into memberlist's 512 bytes.
 */
export function encodeMeta(facts: MemberFacts, bytesMax: number): { bytes: Uint8Array; dropped: readonly string[] } {
  const whole = encoded(facts);
  if (whole.length <= bytesMax) return { bytes: whole, dropped: [] };
  const bare = encoded({ ...facts, labels: {} });
  if (bare.length <= bytesMax) return { bytes: bare, dropped: ['labels'] };
  return { bytes: encoded({ ...facts, labels: {}, rest: undefined }), dropped: ['labels', 'rest'] };
}

function encoded({ version, startedAt, rest, slots, services, labels }: MemberFacts): Uint8Array {
  const s = services.map((name) => letters[name] ?? '').join('');
  const l = Object.keys(labels).length === 0 ? undefined : labels;
  return new TextEncoder().encode(JSON.stringify({ f: format, v: version, t: startedAt, u: rest, n: slots, s, l }));
}

/** Reads what {@link encodeMeta} wrote; nothing for anything else, which is a member that is none of our nodes. Never throws. */
export function decodeMeta(bytes: Uint8Array): MemberFacts | undefined {
  const given = parsed(bytes);
  if (given === undefined || given['f'] !== format) return undefined;
  const version = text(given['v'], 60);
  const startedAt = count(given['t']);
  if (version === undefined || startedAt === undefined) return undefined;
  const services = [...(text(given['s'], 32) ?? '')].flatMap((letter) => namesOf.get(letter) ?? []);
  const [rest, slots] = [text(given['u'], 300), count(given['n'])];
  return { version, startedAt, rest, slots, services: [...new Set(services)], labels: labelsOf(given['l']) };
}

function parsed(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function labelsOf(value: unknown): Labels {
  if (typeof value !== 'object' || value === null) return {};
  const pairs = Object.entries(value).filter(([key, one]) => key.length <= 40 && text(one, 100) !== undefined);
  return Object.fromEntries(pairs);
}

const text = (value: unknown, max: number): string | undefined =>
  typeof value === 'string' && value.length <= max ? value : undefined;
const count = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
