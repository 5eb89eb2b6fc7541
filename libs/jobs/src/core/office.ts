import type { Act, RequestOf, advanceJob } from '@das/contracts';
import { assertNever, type JobId, type NodeId } from '@das/kernel';
import { apply, type AssignerEvent } from './assigner-events.js';
import { remember } from './assigner-nodes.js';
import { mustSave, plan, sendsGoOut, type Advance, type Plan } from './assigner-plan.js';
import { takeOffice, type AssignerConfig } from './assigner-state.js';
import { jobRead, jobsRead, partsRead, poll, readFailed } from './office-reads.js';
import type { AdvanceReply, OfficeEffect, OfficeEvent, OfficeState, SaveReply } from './office-types.js';
import { queuedMax, resetPauseMs } from './office-types.js';

/** An office that knows nothing yet; the event `poll` begins it. `trustedUntil` and `now`: own monotonic clock (ms). */
export function openOffice(
  term: number,
  leader: NodeId,
  config: AssignerConfig,
  trustedUntil: number,
  now: number,
): OfficeState {
  const assigner = takeOffice(term, leader, config, now);
  const idle = { queue: [], saving: undefined, polling: undefined, actSeq: 0, life: 0, closed: false };
  return { term, leader, config, assigner, trustedUntil, ...idle };
}

/**
 * Takes one event in and says what is to be done about it. Events pass one queue, so the effects of two batches never interleave; a batch
 * is saved before anything of it is sent; a save that failed drops the state, and the store's is loaded anew.
 */
export function officeStep(office: OfficeState, event: OfficeEvent, now: number): OfficeEffect[] {
  if (office.closed) return [];
  const effects = handle(office, event, now);
  return [...effects, ...decide(office, now)];
}

function handle(office: OfficeState, event: OfficeEvent, now: number): OfficeEffect[] {
  switch (event.kind) {
    case 'heard':
      return hear(office, event.event, now);
    case 'trusted':
      office.trustedUntil = event.until;
      return [];
    case 'poll':
      return poll(office);
    case 'closed':
      office.closed = true;
      office.queue = [];
      return [];
    case 'broke':
      return reset(office, now);
    case 'saved':
      return saved(office, event.actSeq, event.reply, now);
    case 'sent':
      return sent(office, event);
    case 'advanceAnswered':
      return advanceAnswered(office, event.life, event.request, event.reply);
    case 'jobsRead':
      return jobsRead(office, event.life, event.jobs);
    case 'jobRead':
      return jobRead(office, event.ask, event.found);
    case 'partsRead':
      return partsRead(office, event);
    case 'readFailed':
      return readFailed(office, event.ask);
    case 'waited':
      return event.life === office.life ? poll(office) : [];
    default:
      return assertNever(event);
  }
}

function hear(office: OfficeState, event: AssignerEvent, now: number): OfficeEffect[] {
  if (event.kind === 'beat' && now >= office.trustedUntil) forgetLoss(office, event.beat.node);
  office.queue.push(event);
  return office.queue.length > queuedMax ? reset(office, now) : [];
}

/** A loss that waits for the trust to return is over when its node beats meanwhile: what it runs must not end. */
function forgetLoss(office: OfficeState, node: NodeId): void {
  office.queue = office.queue.filter((event) => event.kind !== 'nodeLost' || event.node !== node);
}

/** Decides batch after batch, until one has to be saved. */
function decide(office: OfficeState, now: number): OfficeEffect[] {
  const effects: OfficeEffect[] = [];
  while (office.queue.length > 0 && office.saving === undefined && !office.closed && now < office.trustedUntil) {
    // Should one of them break it, what the rest told about the bus is not lost.
    for (const event of judgingLast(office.queue)) apply(office.assigner, event, now);
    office.queue = [];
    const planned = plan(office.assigner, now);
    if (!mustSave(planned)) effects.push(...perform(office, planned, new Set()));
    else effects.push(save(office, planned));
  }
  return effects;
}

/** What came while a save was on its way is evidence, too: that a silent node beats again, or that it was we who heard nobody. */
function judgingLast(queue: readonly AssignerEvent[]): AssignerEvent[] {
  const judging = ({ kind }: AssignerEvent): boolean => kind === 'tick';
  return [...queue.filter((event) => !judging(event)), ...queue.filter(judging)];
}

function save(office: OfficeState, planned: Plan): OfficeEffect {
  const { parts, cuts, attempts, ended } = planned;
  const request = { act: nextAct(office), parts, cuts, attempts, ended };
  office.saving = { actSeq: request.act.actSeq, planned };
  return { kind: 'save', request };
}

function saved(office: OfficeState, actSeq: number, reply: SaveReply | undefined, now: number): OfficeEffect[] {
  const { saving } = office;
  if (saving?.actSeq !== actSeq) return [];
  if (reply === undefined) return reset(office, now);
  office.saving = undefined;
  if (reply.outcome === 'staleTerm') return over(office, reply.term);
  sendsGoOut(office.assigner, saving.planned, now);
  if (reply.stale.length > 0) office.queue.push({ kind: 'stale', jobs: reply.stale });
  return perform(office, saving.planned, new Set(reply.stale));
}

/** What follows a save. Of jobs for which it no longer applied nothing is done: they are read again. */
function perform(office: OfficeState, planned: Plan, stale: ReadonlySet<JobId>): OfficeEffect[] {
  const effects: OfficeEffect[] = [];
  for (const { node, spec, assignments } of planned.sends) {
    if (stale.has(spec.job)) continue;
    effects.push({ kind: 'send', node, request: { act: nextAct(office), spec, assignments } });
  }
  for (const { node, attempts } of planned.drops)
    effects.push({ kind: 'drop', node, request: { act: nextAct(office), attempts: [...attempts] } });
  for (const advance of planned.advances) if (!stale.has(advance.job)) effects.push(advanceOf(office, advance));
  for (const job of planned.loads) effects.push({ kind: 'readJob', ask: { life: office.life, job, polled: false } });
  for (const { job, message } of planned.notes) effects.push({ kind: 'note', job, message });
  return effects;
}

function advanceOf(office: OfficeState, { job, generation, to, parts, failure, failed }: Advance): OfficeEffect {
  const request = { act: nextAct(office), job, generation, to, parts: [...parts], failure, failed };
  return { kind: 'advance', life: office.life, request };
}

function nextAct(office: OfficeState): Act {
  office.actSeq += 1;
  return { term: office.term, leader: office.leader, actSeq: office.actSeq };
}

function sent(office: OfficeState, { node, attempts, reply }: Extract<OfficeEvent, { kind: 'sent' }>): OfficeEffect[] {
  if (reply.outcome === 'staleTerm') return over(office, reply.highestTerm);
  if (reply.outcome === 'draining') office.queue.push({ kind: 'refused', node, attempts, why: `${node} is draining` });
  return [];
}

/** Unanswered, it may have happened: the job is read again. */
function advanceAnswered(
  office: OfficeState,
  life: number,
  { job, parts }: RequestOf<typeof advanceJob>,
  reply: AdvanceReply | undefined,
): OfficeEffect[] {
  if (reply?.outcome === 'staleTerm') return over(office, office.term + 1);
  if (life !== office.life) return [];
  if (reply === undefined) office.queue.push({ kind: 'advanced', job, outcome: 'partsOpen', parts: [] });
  else office.queue.push({ kind: 'advanced', job, outcome: reply.outcome, record: reply.job, parts });
  return [];
}

/** Stops deciding at once; whoever performs closes the office. */
function over(office: OfficeState, current: number): OfficeEffect[] {
  office.trustedUntil = Number.NEGATIVE_INFINITY;
  return [{ kind: 'over', current }];
}

/** What the bus told is no matter of what was lost: it is taken over, also what was still waiting. */
function reset(office: OfficeState, now: number): OfficeEffect[] {
  const { assigner: before, queue } = office;
  office.life += 1;
  office.queue = [];
  office.saving = undefined;
  office.polling = undefined;
  office.assigner = takeOffice(office.term, office.leader, office.config, now);
  office.assigner.connected = before.connected;
  for (const [node, { why, at }] of before.lost) remember(office.assigner, node, why, at);
  for (const event of queue) {
    if (event.kind === 'connection') office.assigner.connected = event.up;
    else if (event.kind === 'nodeLost') remember(office.assigner, event.node, event.why, now);
    else if (event.kind === 'beat') office.assigner.lost.delete(event.beat.node);
  }
  return [{ kind: 'wait', life: office.life, ms: resetPauseMs }];
}
