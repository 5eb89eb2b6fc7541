import type { AddressedMessage } from '../core/types.js';

/** Messages and asks so frequent that a dialogue with them could not be read. */
const chatter = ['beat', 'beatReply'];

/** One line of the dialogue; undefined for what is left out. */
export function worded(to: string, message: AddressedMessage): string | undefined {
  if (chatter.includes(message.kind)) return undefined;
  switch (message.kind) {
    case 'election':
      return `Election to ${to}${message.preempt === true ? ' (wants the lead)' : ''}${message.yields === true ? ' (yields)' : ''}`;
    case 'ok':
      return `OK to ${to}${message.leader === undefined ? '' : ` (${message.leader.node} leads in term ${message.leader.term})`}`;
    case 'preVote':
      return `PreVote for round ${message.round} to ${to}`;
    case 'vote':
      return `Vote in round ${message.round} to ${to}${message.handOver === undefined ? '' : ` (handed over by ${message.handOver.leader})`}`;
    case 'voteReply':
      return `${message.granted ? 'yes' : 'no'} to ${to}${message.pre ? ' before' : ' in'} round ${message.round}${message.why === undefined ? '' : ` (${message.why})`}`;
    case 'resign':
      return `Resign from round ${message.round} to ${to}${message.to === undefined ? '' : `, for ${message.to}`}`;
    case 'handOver':
      return `hands round ${message.round} over to ${to}`;
    default:
      return `${message.kind} to ${to}`;
  }
}
