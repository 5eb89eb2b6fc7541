// A node of ours driven by lines: JSON commands on stdin, JSON events on stdout, bytes as base64. The same lines drive a node of
// the original (e2e/interop-go/peer.go). It ends when stdin ends, so that it never outlives the test that started it.
import { createInterface } from 'node:readline';
import * as memberlist from '../../../libs/memberlist/dist/index.js';

const broadcastTimeoutMs = 30_000;
const options = JSON.parse(process.argv[2]);
const bytes = (base64 = '') => new Uint8Array(Buffer.from(base64, 'base64'));
const base64 = (data) => Buffer.from(data).toString('base64');
const emit = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const profile = memberlist[`${options.profile}Config`];
if (profile === undefined) throw new Error(`unknown profile ${options.profile}`);

let meta = bytes(options.meta);
let state = bytes(options.state);
/** Asked while the node is being made, too. */
let size = () => 1;
const queue = new memberlist.BroadcastQueue(() => memberlist.retransmitLimit(profile.retransmitMult, size()));

const viewOf = (member) => ({
  name: member.name,
  address: memberlist.formatAddress(member),
  meta: base64(member.meta),
  state: member.state,
  incarnation: member.incarnation,
});
const tell = (event) => (member) =>
  emit({
    event,
    node: member.name,
    address: memberlist.formatAddress(member),
    data: base64(member.meta),
    ...stateOf(member),
  });
const stateOf = ({ state: now, incarnation }) => ({ state: now, incarnation });

const node = await memberlist.createMemberlist(
  {
    ...profile,
    name: options.name,
    bindAddr: options.bind,
    bindPort: 0,
    secretKey: options.key ? new Uint8Array(Buffer.from(options.key, 'hex')) : undefined,
    label: options.label,
    compression: options.compression,
    delegateVersion: options.delegateVersion ?? profile.delegateVersion,
  },
  {
    nodeMeta: () => meta,
    localState: () => state,
    ...(options.gossips !== false && { broadcasts: (overhead, limit) => queue.take(overhead, limit) }),
    notifyMessage: (data) => emit({ event: 'message', data: base64(data) }),
    mergeRemoteState: (data, join) => emit({ event: 'merged', data: base64(data), join }),
    onJoin: tell('join'),
    onLeave: tell('leave'),
    onUpdate: tell('update'),
    onSuspect: tell('suspect'),
    onRefute: tell('refute'),
    onConflict: tell('conflict'),
    onNote: ({ code, detail }) => emit({ event: 'log', text: `${code}: ${detail}` }),
  },
);
size = () => node.known.length;

/** What each command does; what it resolves with is the answer's value. */
const commands = {
  join: ({ to }) => node.join(to),
  leave: () => node.leave(broadcastTimeoutMs),
  meta: ({ data }) => {
    meta = bytes(data);
    return node.update(broadcastTimeoutMs);
  },
  state: ({ data }) => {
    state = bytes(data);
  },
  send: ({ node: name, data, reliable }) =>
    reliable ? node.sendReliable(name, bytes(data)) : node.sendBestEffort(name, bytes(data)),
  gossip: ({ data }) => new Promise((finished) => queue.add({ message: bytes(data), finished })),
  members: () => node.members.map(viewOf),
  known: () => node.known.map(viewOf),
};

async function obey({ id, do: name, ...fields }) {
  try {
    if (commands[name] === undefined) throw new Error(`unknown command ${name}`);
    emit({ event: 'answer', id, value: await commands[name](fields) });
  } catch (error) {
    emit({ event: 'answer', id, error: error.message });
  }
}

emit({ event: 'ready', node: options.name, address: memberlist.formatAddress(node.self) });
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => void obey(JSON.parse(line)));
lines.on('close', () => process.exit(0));
