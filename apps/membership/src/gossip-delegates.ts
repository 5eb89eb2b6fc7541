import type { Clock } from '@das/kernel';
import { type Delegates, type Member, formatAddress } from '@das/memberlist';
import { decodeMeta } from './core/meta.js';
import type { Notes } from './notes.js';
import type { MemberEventKind } from './ports/member-events.js';

/** For so long after the start, an older holder of our name is taken for our own past, which others still tell of (ms). */
export const pastLifeMs = 10_000;

interface Listening {
  readonly self: string;
  readonly startedAt: number;
  readonly clock: Clock;
  readonly notes: Notes;
  readonly meta: (limit: number) => Uint8Array;
  readonly changed: (kind: MemberEventKind, member: Member) => void;
  readonly probed: (name: string, rttMs: number) => void;
}

/** What memberlist tells, in our words. */
export function delegatesOf(listening: Listening): Delegates {
  const { notes, changed, probed, meta } = listening;
  return {
    nodeMeta: meta,
    onJoin: (member) => changed('joined', member),
    onSuspect: (member) => changed('suspected', member),
    onLeave: (member) => changed(member.state === 'left' ? 'left' : 'dead', member),
    onUpdate: (member) => changed('updated', member),
    onRefute: (member) => changed('updated', member),
    onConflict: (existing, other) => conflict(listening, existing, other),
    onPing: ({ name }, rttMs) => probed(name, rttMs),
    onNote: ({ code, detail, peer }) => notes.note(code, detail, peer),
  };
}

function conflict({ self, startedAt, clock, notes }: Listening, existing: Member, other: Member): void {
  if (existing.name !== self) {
    const places = `${formatAddress(existing)} and ${formatAddress(other)}`;
    notes.note(
      'nameConflict',
      `two nodes are called ${other.name}, at ${places}; the second is ignored`,
      undefined,
      other.name,
    );
    return;
  }
  const isPast = (decodeMeta(other.meta)?.startedAt ?? 0) < startedAt;
  if (isPast && clock.now() - startedAt < pastLifeMs) return;
  notes.note('ownName', ownNameText(self, formatAddress(other)));
}

/** @internal */
export const ownNameText = (name: string, address: string): string =>
  `two processes run as node ${name}: the other one is at ${address}; give one of them another DAS_NODE`;
