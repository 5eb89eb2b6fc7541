import { MsgpackReader, type ReadFault } from './msgpack-reader.js';
import { MsgpackWriter } from './msgpack-writer.js';
import { Work } from './work.js';
import { type Field, type FieldType, type Fields, type SchemaName, schemas } from './schema.js';

/** What decoding gives: the value, or why there is none. Input never makes the codec throw. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** A value, decoded. */
export function decoded<T>(value: T): Decoded<T> {
  return { ok: true, value };
}

/** No value, and why. */
export function undecodable(problem: string): Decoded<never> {
  return { ok: false, problem };
}

type Value = number | boolean | string | Uint8Array | undefined;
type Values = Record<string, Value>;

const byKey = (a: Field, b: Field): number => (a.key < b.key ? -1 : 1);
const sorted = new Map<string, readonly Field[]>(
  Object.entries(schemas).map(([name, fields]) => [name, [...fields].sort(byKey)]),
);
const maxima = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff, int: Number.MAX_SAFE_INTEGER } as const;

/** A struct as a map, keys in ascending order, preceded by `code` when given. */
export function encodeStruct<K extends SchemaName>(schema: K, record: Fields<K>, code?: number): Uint8Array {
  return encodeFields(schema, record, code);
}

/** As {@link encodeStruct} for a schema that only its caller knows: `values` has all its fields, others do not matter. */
export function encodeFields(schema: SchemaName, values: Readonly<Values>, code?: number): Uint8Array {
  const writer = new MsgpackWriter();
  if (code !== undefined) writer.byte(code);
  const present = (sorted.get(schema) ?? []).filter(
    (field) => field.omitEmpty !== true || !isEmpty(values[field.name]),
  );
  writer.map(present.length);
  for (const field of present) {
    writer.text(field.key);
    writeValue(writer, field.type, values[field.name]);
  }
  return writer.finish();
}

function isEmpty(value: Value): boolean {
  return value === undefined || value === 0 || value === '' || (value instanceof Uint8Array && value.length === 0);
}

function writeValue(writer: MsgpackWriter, type: FieldType, value: Value): void {
  if (type === 'bytes') writer.bytes(value instanceof Uint8Array ? value : undefined);
  else if (type === 'text') writer.text(typeof value === 'string' ? value : '');
  else if (type === 'bool') writer.bool(value === true);
  else writer.uint(typeof value === 'number' ? value : 0);
}

/** Reads one struct. Missing fields are zero, unknown ones are skipped, of doubled ones the last counts. Byte fields are copies. */
export function readStruct<K extends SchemaName>(
  schema: K,
  reader: MsgpackReader,
): { readonly value: Fields<K> } | { readonly fault: ReadFault } {
  const fields: readonly Field[] = schemas[schema];
  const values: Values = Object.fromEntries(fields.map((field) => [field.name, zero(field.type)]));
  const { form, size } = reader.struct();
  for (let i = 0; i < size && reader.fault === undefined; i++) {
    const field = form === 'array' ? fields[i] : fieldOf(fields, reader.text());
    if (field === undefined) reader.skip();
    else values[field.name] = readValue(reader, field.type);
  }
  // The values were built from the schema's own fields and types.
  return reader.fault === undefined ? { value: values as Fields<K> } : { fault: reader.fault };
}

function fieldOf(fields: readonly Field[], key: string): Field | undefined {
  return fields.find((field) => field.key === key);
}

function zero(type: FieldType): Value {
  if (type === 'bytes') return undefined;
  if (type === 'text') return '';
  return type === 'bool' ? false : 0;
}

function readValue(reader: MsgpackReader, type: FieldType): Value {
  if (type === 'bytes') return reader.bytesOrNil()?.slice();
  if (type === 'text') return reader.text();
  if (type === 'bool') return reader.bool();
  return reader.uint(maxima[type]);
}

/** Decodes one struct that should be whole; bytes after it are ignored, as a datagram's are. */
export function decodeStruct<K extends SchemaName>(
  schema: K,
  bytes: Uint8Array,
  from = 0,
  work = new Work(),
): Decoded<Fields<K>> {
  const result = readStruct(schema, new MsgpackReader(bytes, from, work));
  if ('value' in result) return decoded(result.value);
  return undecodable(result.fault === 'short' ? 'truncated' : result.fault.problem);
}
