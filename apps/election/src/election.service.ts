import { type Member, type ReplyOf, type getLeader, listMembers } from '@das/contracts';
import type { BullyMessage } from '@das/election';
import type { Cancel } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext, loadConfig } from '@das/platform';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { bullyConfig, electionConfig } from './config.js';
import { ElectionShell } from './election.shell.js';
import { seededBy } from './spread.js';
import { StoreTermAuthority } from './store-term-authority.js';

/** How often membership is asked for what its messages may have lost (ms). */
const membersPollMs = 5_000;

/** The service's life: starts and stops the shell, watches the connection, reads the members. */
@Injectable()
export class ElectionService implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #shell: ElectionShell;
  readonly #cancels: Cancel[] = [];

  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {
    const config = bullyConfig(loadConfig(electionConfig, context.env), context.node, context.newId());
    this.#shell = new ElectionShell(context, new StoreTermAuthority(context.bus), config, seededBy(context.newId()));
  }

  onApplicationBootstrap(): void {
    const { bus, clock } = this.context;
    this.#cancels.push(bus.onConnection((up) => this.#shell.handle({ kind: up ? 'hearing' : 'deaf' })));
    this.#cancels.push(clock.every(membersPollMs, () => void this.readMembers()));
    this.#shell.start();
    void this.readMembers();
  }

  /** Before the bus closes, so that the others hear of the resignation and need not wait for silence. */
  onModuleDestroy(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#shell.stop();
  }

  message(message: BullyMessage): void {
    this.#shell.handle({ kind: 'message', message });
  }
  splitterBeat(epoch: string): void {
    this.#shell.handle({ kind: 'splitterBeat', epoch });
  }
  member(member: Member): void {
    this.#shell.member(member.node, member.state);
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
