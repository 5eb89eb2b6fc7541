import { type KvLease, type StrategyName, type VoteStore, FileVoteStore, JetStreamKvLease } from '@das/election';
import { connectNats, streamReplicas } from '@das/messaging';
import { type ServiceContext, loadCommonConfig, loadTokens } from '@das/platform';
import { join } from 'node:path';

/** What one strategy needs besides the store: `raft` its votes on disk, `lease` a bucket. */
export interface StrategyPorts {
  readonly votes?: VoteStore;
  readonly kv?: KvLease;
  close(): Promise<void>;
}

/** The bucket of leadership in the cluster's NATS server. */
const bucket = 'das-election';

/** Opens what the strategy needs. @throws the client library's error when NATS cannot be reached; nothing is left open. */
export async function openPorts(strategy: StrategyName, context: ServiceContext): Promise<StrategyPorts> {
  const common = loadCommonConfig(context.env);
  if (strategy === 'raft') {
    const votes = new FileVoteStore(join(common.DAS_HOME, 'election', context.node));
    return { votes, close: () => Promise.resolve() };
  }
  if (strategy === 'bully') return { close: () => Promise.resolve() };
  const { nats: token } = loadTokens(common);
  const name = `${context.node}/election-lease`;
  // A connection of its own: a renewal waits behind no other message.
  const bus = await connectNats({ url: common.DAS_NATS_URL, name, ...(token === undefined ? {} : { token }) });
  return {
    kv: new JetStreamKvLease(bus.connection, bucket, streamReplicas(common.DAS_NATS_URL)),
    close: () => bus.close(),
  };
}
