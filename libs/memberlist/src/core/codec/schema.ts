/** How a field looks on the wire. `int` is signed in the original; we write and take it from 0 on. */
export type FieldType = 'u8' | 'u16' | 'u32' | 'int' | 'bool' | 'text' | 'bytes';

/** One field of a message, in the order of the original's declaration (a peer may send a struct as an array). */
export interface Field {
  readonly key: string;
  readonly name: string;
  readonly type: FieldType;
  /** Left out of the map when empty or zero, as the original does. */
  readonly omitEmpty?: boolean;
}

type ValueOf<T extends FieldType> = T extends 'bool'
  ? boolean
  : T extends 'text'
    ? string
    : T extends 'bytes'
      ? Uint8Array | undefined
      : number;

/** The object that a list of fields describes. */
export type RecordOf<F extends readonly Field[]> = { readonly [P in F[number] as P['name']]: ValueOf<P['type']> };

const source = [
  { key: 'SourceAddr', name: 'sourceAddr', type: 'bytes', omitEmpty: true },
  { key: 'SourcePort', name: 'sourcePort', type: 'u16', omitEmpty: true },
  { key: 'SourceNode', name: 'sourceNode', type: 'text', omitEmpty: true },
] as const;

const accusation = [
  { key: 'Incarnation', name: 'incarnation', type: 'u32' },
  { key: 'Node', name: 'node', type: 'text' },
  { key: 'From', name: 'from', type: 'text' },
] as const;

const seqNo = { key: 'SeqNo', name: 'seqNo', type: 'u32' } as const;

/** The fields of every message that is a map. Names and order are the wire's and never change meaning. */
export const schemas = {
  ping: [seqNo, { key: 'Node', name: 'node', type: 'text' }, ...source],
  indirectPing: [
    seqNo,
    { key: 'Target', name: 'target', type: 'bytes' },
    { key: 'Port', name: 'port', type: 'u16' },
    { key: 'Node', name: 'node', type: 'text' },
    { key: 'Nack', name: 'nack', type: 'bool' },
    ...source,
  ],
  ack: [seqNo, { key: 'Payload', name: 'payload', type: 'bytes' }],
  nack: [seqNo],
  error: [{ key: 'Error', name: 'error', type: 'text' }],
  suspect: accusation,
  dead: accusation,
  alive: [
    { key: 'Incarnation', name: 'incarnation', type: 'u32' },
    { key: 'Node', name: 'node', type: 'text' },
    { key: 'Addr', name: 'addr', type: 'bytes' },
    { key: 'Port', name: 'port', type: 'u16' },
    { key: 'Meta', name: 'meta', type: 'bytes' },
    { key: 'Vsn', name: 'vsn', type: 'bytes' },
  ],
  pushPullHeader: [
    { key: 'Nodes', name: 'nodes', type: 'int' },
    { key: 'UserStateLen', name: 'userStateLen', type: 'int' },
    { key: 'Join', name: 'join', type: 'bool' },
  ],
  nodeState: [
    { key: 'Name', name: 'name', type: 'text' },
    { key: 'Addr', name: 'addr', type: 'bytes' },
    { key: 'Port', name: 'port', type: 'u16' },
    { key: 'Meta', name: 'meta', type: 'bytes' },
    { key: 'Incarnation', name: 'incarnation', type: 'u32' },
    { key: 'State', name: 'state', type: 'int' },
    { key: 'Vsn', name: 'vsn', type: 'bytes' },
  ],
  userHeader: [{ key: 'UserMsgLen', name: 'userMsgLen', type: 'int' }],
  compressed: [
    { key: 'Algo', name: 'algo', type: 'u8' },
    { key: 'Buf', name: 'buf', type: 'bytes' },
  ],
} as const satisfies Record<string, readonly Field[]>;

/** Names of the structs that travel as maps. */
export type SchemaName = keyof typeof schemas;

/** The fields of one struct. */
export type Fields<K extends SchemaName> = RecordOf<(typeof schemas)[K]>;

/** First byte of a message. */
export const codes = {
  ping: 0,
  indirectPing: 1,
  ack: 2,
  suspect: 3,
  alive: 4,
  dead: 5,
  pushPull: 6,
  compound: 7,
  user: 8,
  compressed: 9,
  encrypted: 10,
  nack: 11,
  crc: 12,
  error: 13,
  label: 244,
} as const;
