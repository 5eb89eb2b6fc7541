import { type OutputRow, commitPart, stageOutput } from '@das/contracts';
import { messageLength } from '@das/execution';
import { type Judged, fatalCommit } from './commit.js';
import type { HeldHead } from './held-commit.js';
import { isLasting, refusedByStore } from './refusals.js';
import type { StoreClient } from './store-client.js';

interface Message {
  readonly rows: OutputRow[];
  readonly raw: Uint8Array;
}

/**
 * Asks the store once to take a held commit: what one message does not hold is staged first, as its own life would have done.
 * Undefined: the store, the bus or an answer is missing; to be asked again.
 * @throws Fault when the store refuses for good, also to be told so.
 */
export async function sendHeld(store: StoreClient, held: HeldHead, raw: Uint8Array): Promise<Judged | undefined> {
  try {
    const messages = messagesOf(held.rows, raw);
    const last = messages.pop() ?? { rows: [], raw: new Uint8Array() };
    if (!(await stageAll(store, held, messages))) return undefined;
    return await commitOnce(store, held, last);
  } catch (error) {
    if (!isLasting(error) || held.request.fatal !== undefined) throw error;
    const refused = fatalCommit(held.request, refusedByStore(held.request.attempt.part, error));
    return commitOnce(store, refused, { rows: [], raw: new Uint8Array() });
  }
}

/** False: no answer. A refusal ends the staging: of an attempt that is over it is right, and the commit tells whether it was this commit that ended it. */
async function stageAll(store: StoreClient, { request }: HeldHead, messages: readonly Message[]): Promise<boolean> {
  const { attempt, run } = request;
  for (const { rows, raw } of messages) {
    const answer = await store.askOnce(stageOutput, { attempt, run, rows }, raw);
    if (answer === undefined) return false;
    if (answer.body.outcome !== 'staged') return true;
  }
  return true;
}

async function commitOnce(
  store: StoreClient,
  commit: Judged['commit'],
  { rows, raw }: Message,
): Promise<Judged | undefined> {
  const answer = await store.askOnce(commitPart, { ...commit.request, rows }, raw);
  return answer === undefined ? undefined : { commit, reply: answer.body };
}

function messagesOf(rows: readonly OutputRow[], raw: Uint8Array): Message[] {
  const messages: Message[] = [];
  let at = 0;
  for (let left = [...rows]; left.length > 0;) {
    const taken = left.slice(0, messageLength(left));
    left = left.slice(taken.length);
    const end = taken.reduce((sum, { bytes }) => sum + bytes, at);
    messages.push({ rows: taken, raw: raw.subarray(at, end) });
    at = end;
  }
  return messages;
}
