import { type Member, type ReplyOf, type getLeader, listMembers } from '@das/contracts';
import { type ElectionMessage, type ElectionStrategy, type StrategyName, bully, lease, raft } from '@das/election';
import type { Cancel } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext, loadConfig } from '@das/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { electionConfig, strategyConfig } from './config.js';
import { ElectionShell } from './election.shell.js';
import { seededBy } from './spread.js';
import { StoreTermAuthority } from './store-term-authority.js';
import type { StrategyPorts } from './strategy-ports.js';

/** How often membership is asked for what its messages may have lost (ms). */
const membersPollMs = 5_000;

/** Opens what the strategy needs; a test brings its own. */
export type OpenPorts = (strategy: StrategyName, context: ServiceContext) => Promise<StrategyPorts>;
export const OPEN_PORTS = Symbol('OpenPorts');

/** A state is its strategy's own; the shell only hands it back. */
const strategies: Readonly<Record<StrategyName, ElectionStrategy>> = {
  bully: bully,
  raft: raft,
  lease: lease,
};

/** The service's life: starts and stops the shell, watches the connection, reads the members. */
@Injectable()
export class ElectionService implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #shell: ElectionShell;
  readonly #strategy: StrategyName;
  readonly #cancels: Cancel[] = [];
  #ports: StrategyPorts = { close: () => Promise.resolve() };

  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(OPEN_PORTS) private readonly open: OpenPorts,
  ) {
    const settings = loadConfig(electionConfig, context.env);
    const { config, warnings } = strategyConfig(settings, context.node, context.newId());
    for (const warning of warnings) context.log.warn({}, warning);
    this.#strategy = settings.DAS_ELECTION;
    const authority = new StoreTermAuthority(context.bus);
    const rng = seededBy(context.newId());
    this.#shell = new ElectionShell(context, strategies[this.#strategy], authority, () => this.#ports, config, rng);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { bus, clock } = this.context;
    this.#ports = await this.open(this.#strategy, this.context);
    this.#cancels.push(bus.onConnection((up) => this.#shell.handle({ kind: up ? 'hearing' : 'deaf' })));
    this.#cancels.push(clock.every(membersPollMs, () => void this.readMembers()));
    this.#shell.start();
    void this.readMembers();
  }

  /** Before the bus closes, so that the others hear of the resignation and need not wait for silence. */
  async onModuleDestroy(): Promise<void> {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#shell.stop();
    await this.#ports.close();
  }

  message(message: ElectionMessage): void {
    this.#shell.handle({ kind: 'message', message });
  }
  splitterBeat(epoch: string): void {
    this.#shell.handle({ kind: 'splitterBeat', epoch });
  }
  /** What membership thinks of the health of this node; 0 is best. */
  health(score: number): void {
    this.#shell.handle({ kind: 'health', score });
  }
  /** A member that is none of our nodes can neither vote nor lead. */
  member(member: Member): void {
    if (member.version !== undefined) this.#shell.member(member.node, member.state);
  }
  leader(): ReplyOf<typeof getLeader> {
    return this.#shell.leader();
  }

  /** Who membership knows. Unanswered it is asked again later: without members this node claims unasked, and the store judges. */
  async readMembers(): Promise<void> {
    try {
      const { body } = await this.context.bus.call(listMembers, {}, { timeoutMs: 2_000 });
      for (const member of body.members) this.member(member);
    } catch {
      // Asked again by the poll; membership announces every change besides.
    }
  }
}
