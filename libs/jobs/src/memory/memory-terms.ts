import type { ReplyOf, RequestOf } from '@das/contracts';
import type * as contracts from '@das/contracts';
import type { MemoryWorld } from './memory-data.js';

type Ask<O> = RequestOf<O>;

export function claimTerm(
  { data, clock }: MemoryWorld,
  request: Ask<typeof contracts.claimTerm>,
): ReplyOf<typeof contracts.claimTerm> {
  if (data.term === request.above) {
    data.term++;
    data.leader = request.node;
    data.renewedAt = clock.now();
  }
  const { term, leader } = data;
  return { term, leader, granted: term === request.above + 1 && leader === request.node };
}

export function renewTerm(
  { data, clock }: MemoryWorld,
  request: Ask<typeof contracts.renewTerm>,
): ReplyOf<typeof contracts.renewTerm> {
  const { term, leader } = data;
  const held = term === request.term && leader === request.node;
  if (held) data.renewedAt = clock.now();
  return { term, leader, held };
}

export function currentTerm({ data, clock }: MemoryWorld): ReplyOf<typeof contracts.currentTerm> {
  return { term: data.term, leader: data.leader, renewedAgoMs: clock.now() - data.renewedAt };
}
