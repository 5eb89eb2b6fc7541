import { Fault, eventSubjects } from '@das/contracts';
import { messageOf } from '@das/kernel';
import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';

export const eventStream = 'das-events';

/** Bounded in age, bytes and per subject; a chatty job pushes out its own oldest events first. */
const config = {
  name: eventStream,
  subjects: [eventSubjects],
  storage: StorageType.File,
  retention: RetentionPolicy.Limits,
  discard: DiscardPolicy.Old,
  max_age: nanos(24 * 3600 * 1000),
  max_bytes: 1024 * 1024 * 1024,
  max_msgs_per_subject: 4096,
  duplicate_window: nanos(2 * 60 * 1000),
} satisfies Partial<StreamConfig>;

/** The server's code for "exists with another configuration". */
const streamNameInUse = 10_058;

/** Copies that outlive the loss of one server; with two servers a second copy would need both of them. */
const replicasMax = 3;

/** Copies of a stream on the servers that a `DAS_NATS_URL` names: 3 when these are three or more, else 1. */
export const streamReplicas = (natsUrl: string): number => (natsUrl.split(',').length >= replicasMax ? replicasMax : 1);

/**
 * Creates the stream, or brings an older one to this configuration. Several services may do so at the same time. A stream that has more
 * copies keeps them.
 */
export async function ensureEventStream(manager: JetStreamManager, replicas: number): Promise<void> {
  try {
    await manager.streams.add({ ...config, num_replicas: replicas });
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== streamNameInUse) throw eventLogAway(error);
    const changes = replicas > 1 ? { ...config, num_replicas: replicas } : config;
    await manager.streams.update(eventStream, changes).catch((failed: unknown) => {
      throw eventLogAway(failed);
    });
  }
}

/** State: the event may or may not be stored; results do not depend on it. */
export function eventLogAway(error: unknown): Fault {
  return new Fault('BUS_UNAVAILABLE', `the event log cannot be used: ${messageOf(error)}`, {
    hint: 'is the NATS server started with JetStream (`nats-server -js -sd DIR`) and 1 GiB of free disk?',
    cause: error,
  });
}
