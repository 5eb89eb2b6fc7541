import { createHash } from 'node:crypto';
import type { Member } from '@das/contracts';
import { type NodeId, nodeId } from '@das/kernel';
import { type Member as Gossiped, formatAddress } from '@das/memberlist';
import { decodeMeta } from './core/meta.js';

const token = /^[A-Za-z0-9_-]{1,64}$/;

/** A member's name as a node's. Foreign members may be called anything: what could not be a subject token is replaced, and told apart by a digest. */
export function nodeOf(name: string): NodeId {
  if (token.test(name)) return nodeId(name);
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return nodeId(`${name.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 55)}-${digest}`);
}

/** A member as others are told of it. `now`: of the clock that gossip runs on (ms). */
export function memberOf(member: Gossiped, now: number, rttMs?: number): Member {
  const { version, startedAt, rest, slots, services = [], labels = {} } = decodeMeta(member.meta) ?? {};
  return {
    node: nodeOf(member.name),
    state: member.state,
    incarnation: member.incarnation,
    address: formatAddress(member),
    sinceMs: Math.max(0, Math.round(now - member.stateChange)),
    services: [...services],
    labels: { ...labels },
    ...defined({
      version,
      startedAt,
      rest,
      slots,
      rttMs: rttMs === undefined ? undefined : Math.round(rttMs * 100) / 100,
    }),
  };
}

const defined = <T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
