import type { NodeId } from '@das/kernel';
import type { Vote } from '../core/raft/types.js';
import type { ElectionEffect, ElectionMessage } from '../core/types.js';
import type { SimNode } from './sim-node.js';
import { worded } from './wording.js';
import type { World } from './world.js';
import type { Weakening } from './world-options.js';

type Of<K extends ElectionEffect['kind']> = Extract<ElectionEffect, { kind: K }>;

/** A save takes up to this long (ms): a disk that syncs. */
const syncMaxMs = 12;

/** Does what the nodes want done, with everything that can happen on the way. */
export class Performer {
  constructor(
    private readonly world: World,
    private readonly weaken: Weakening,
  ) {}

  perform(node: SimNode, effect: ElectionEffect): void {
    const { world } = this;
    const { name } = node;
    switch (effect.kind) {
      case 'send':
        return this.#sendOne(node, effect);
      case 'announce':
        return this.#announce(node, effect);
      case 'claimTerm':
        world.say(`${name}: claims a term above ${effect.above}`);
        return world.store.claim(world.asker(node), effect.above);
      case 'renewTerm':
        return world.store.renew(world.asker(node), effect.term);
      case 'loadVote':
        return this.#load(node);
      case 'saveVote':
        return this.#save(node, effect.vote);
      case 'askKv':
        if (effect.ask.op !== 'readRecord') world.say(`${name}: ${JSON.stringify(effect.ask)}`);
        return world.kv.ask(world.asker(node), effect.id, effect.ask);
      case 'setTimer':
        return this.#setTimer(node, effect);
      case 'steppedUp':
        world.say(`${name}: leads in term ${effect.term}`);
        return world.judge.steppedUp(name, effect.term);
      case 'steppedDown':
        return world.say(`${name}: no longer leads in term ${effect.term} (${effect.why})`);
      case 'tell':
        return world.say(`${name}: ${effect.message}`);
      case 'defect':
        return world.judge.defect(name, effect.message);
    }
  }

  #sendOne(node: SimNode, { to, message }: Of<'send'>): void {
    const { world } = this;
    const text = worded(to, message);
    if (text !== undefined) world.say(`${node.name}: ${text}`);
    if (message.kind === 'voteReply') world.judge.ballots.voted(node.name, message, to);
    this.#send(node.name, to, message);
  }

  #announce(node: SimNode, { term, resigned, to }: Of<'announce'>): void {
    const { world } = this;
    const { name } = node;
    if (resigned) world.say(`${name}: Coordinator, term ${term} resigned${to === undefined ? '' : ` for ${to}`}`);
    else this.#act(node, term);
    for (const other of world.names)
      this.#send(name, other as NodeId, { kind: 'coordinator', leader: name, term, resigned, to });
  }

  /** What a leader does besides: begun now, on its way for a while, and for longer when the process stands still before it is sent. */
  #act(node: SimNode, term: number): void {
    const { world } = this;
    world.judge.acts(node.name, term, node.clock.mono(world.time.now));
    const { life } = node;
    const send = (): void => {
      const current = world.node(node.name);
      if (current.life !== life || !current.up) return;
      if (current.paused) return world.time.after(world.links.delay() + 10, send);
      world.time.after(world.links.delay(), () => world.store.act(node.name, term));
    };
    world.time.after(world.links.delay(), send);
  }

  #send(from: NodeId, to: NodeId, message: ElectionMessage): void {
    const { world } = this;
    if (!world.names.includes(to)) return;
    const { life } = world.node(to);
    for (let copies = world.links.copies(from, to); copies > 0; copies -= 1) {
      world.time.after(world.links.delay(), () => world.deliver(to, life, { kind: 'message', message }));
    }
  }

  #load({ name, life, disk }: SimNode): void {
    const { world } = this;
    world.time.after(world.rng() * syncMaxMs, () => {
      const found = disk.load();
      const vote: Vote | 'empty' | 'corrupt' =
        this.weaken.noPersistence === true ? { round: 0, votedFor: undefined } : found;
      if (typeof vote !== 'string' && this.weaken.noPersistence !== true) world.judge.ballots.stored(name, vote.round);
      world.deliver(name, life, { kind: 'voteLoaded', vote });
    });
  }

  #save({ name, life, disk }: SimNode, vote: Vote): void {
    const { world } = this;
    if (this.weaken.noPersistence !== true) disk.write(vote);
    world.time.after(world.rng() * syncMaxMs, () => {
      const node = world.node(name);
      if (node.life !== life || !node.up) return;
      if (this.weaken.noPersistence !== true) {
        disk.sync();
        world.judge.ballots.stored(name, vote.round);
      }
      world.deliver(name, life, { kind: 'voteSaved', vote, ok: true });
    });
  }

  #setTimer(node: SimNode, effect: Of<'setTimer'>): void {
    const { world } = this;
    const { name, life, clock } = node;
    // Never cancelled: stale timers must be harmless. A hair late, as timers are: the deadline has passed by the own clock.
    const wait = clock.worldMs(effect.afterMs) + (clock.rate === 1 ? 0 : 0.01);
    world.time.after(wait, () => world.deliver(name, life, { kind: 'timer', timer: effect.timer }));
  }
}
