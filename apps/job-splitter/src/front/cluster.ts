import { Inject, Injectable } from '@nestjs/common';
import {
  type Member,
  type MembersView,
  type NodeStatus,
  type NodeView,
  type ReplyOf,
  clusterStatus,
  currentTerm,
  getLeader,
  listMembers,
  membershipStats,
} from '@das/contracts';
import { type NodeId, messageOf } from '@das/kernel';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';

/** How long one service may take to answer for a view of the cluster. */
const askMs = 2_000;

export type LeaderView = ReplyOf<typeof getLeader>;

/** The cluster as this node knows it. */
@Injectable()
export class Cluster {
  constructor(@Inject(SERVICE_CONTEXT) private readonly context: ServiceContext) {}

  /** Every member with its load. Without telemetry or election the members are still told. @throws Fault when membership does not answer. */
  async nodes(): Promise<{ nodes: NodeView[] }> {
    const [members, leader, loads] = await Promise.all([this.members(), this.knownLeader(), this.loads()]);
    const ours = members.filter(({ version }) => version !== undefined);
    const nodes = ours.map((member) => nodeView(member, loads.get(member.node), leader));
    return { nodes: nodes.sort((one, other) => (one.name < other.name ? -1 : 1)) };
  }

  /** Who leads, in which term. @throws Fault when this node's election service does not answer. */
  async leader(): Promise<LeaderView> {
    return (await this.context.bus.call(getLeader, {}, { node: this.context.node, timeoutMs: askMs })).body;
  }

  /** What keeps this node from serving jobs; empty when nothing does. */
  async unready(): Promise<string[]> {
    if (!this.context.bus.connected) return ['bus: not connected'];
    const [store, leader] = await Promise.all([this.storeFault(), this.leaderFault()]);
    return [store, leader].filter((reason) => reason !== undefined);
  }

  private async storeFault(): Promise<string | undefined> {
    const asked = this.context.bus.call(currentTerm, {}, { timeoutMs: askMs });
    return asked.then(
      () => undefined,
      (error: unknown) => `store: ${messageOf(error)}`,
    );
  }

  private async leaderFault(): Promise<string | undefined> {
    return this.leader().then(
      ({ leader, blocked }) => (leader === undefined ? `leader: ${blocked ?? 'none is known'}` : undefined),
      (error: unknown) => `leader: ${messageOf(error)}`,
    );
  }

  /** Who is here, as this node's gossip sees it. @throws Fault when membership does not answer. */
  async membersView(): Promise<MembersView> {
    const by = this.context.node;
    const asked = this.context.bus.call(membershipStats, {}, { node: by, timeoutMs: askMs });
    const [members, gossip] = await Promise.all([
      this.members(),
      asked.then(
        ({ body }) => body,
        () => undefined,
      ),
    ]);
    const sorted = [...members].sort((one, other) => (one.node < other.node ? -1 : 1));
    return { by, members: sorted, ...(gossip === undefined ? {} : { gossip }) };
  }

  async members(): Promise<readonly Member[]> {
    return (await this.context.bus.call(listMembers, {}, { node: this.context.node, timeoutMs: askMs })).body.members;
  }

  private async knownLeader(): Promise<NodeId | undefined> {
    return this.leader().then(
      ({ leader }) => leader,
      () => undefined,
    );
  }

  private async loads(): Promise<ReadonlyMap<NodeId, NodeStatus>> {
    return this.context.bus.call(clusterStatus, {}, { timeoutMs: askMs }).then(
      ({ body }) => new Map(body.nodes.map((status) => [status.node, status])),
      () => new Map(),
    );
  }
}

/** A member and its executor's newest heartbeat as one. */
export function nodeView(member: Member, load: NodeStatus | undefined, leader: NodeId | undefined): NodeView {
  return {
    name: member.node,
    state: member.state,
    leader: member.node === leader,
    ...(member.rest === undefined ? {} : { rest: member.rest }),
    slots: load?.slots ?? member.slots ?? 0,
    running: load?.running ?? 0,
    queued: load?.queued ?? 0,
    ...(load === undefined ? {} : { holding: load.holding }),
    ...(load?.sandbox === undefined ? {} : { sandbox: load.sandbox }),
    ...(load?.grouped === undefined ? {} : { grouped: load.grouped }),
    ...(load?.hold?.notice === undefined ? {} : { notice: load.hold.notice }),
    version: member.version ?? '',
  };
}
