import { type BodyOf, electionCall, electionOk, leaseHandOver, raftLetter } from '@das/contracts';
import type { AddressedMessage, RaftMessage } from '@das/election';
import type { NodeId } from '@das/kernel';
import type { ServiceBus } from '@das/messaging';

/** Puts a strategy's message to one node on the bus. */
export function tellOne(bus: ServiceBus, to: NodeId, message: AddressedMessage): void {
  switch (message.kind) {
    case 'election': {
      const { from, round, yields, preempt } = message;
      return bus.tell(electionCall, { from, to, round, yields, preempt });
    }
    case 'ok': {
      const { from, round, leader } = message;
      return bus.tell(electionOk, { from, to, round, leader });
    }
    case 'handOver': {
      const { from, nonce, round } = message;
      return bus.tell(leaseHandOver, { from, to, nonce, round });
    }
    default: {
      const { from, voters, list, ...say } = message;
      return bus.tell(raftLetter, { from, to, voters, list: list && [...list], say }, { node: to });
    }
  }
}

/** A letter between voters, as the strategy reads it. */
export function raftMessage({ from, voters, list, say }: BodyOf<typeof raftLetter>): RaftMessage {
  return { ...say, from, voters, list };
}
