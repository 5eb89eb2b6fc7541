import { Fault } from '@das/contracts';

const empty = new Uint8Array(0);

/** UTF-8 bytes of the JSON text; `undefined` becomes `{}`. */
export function encodeJson(body: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(body ?? {}));
}

/** JSON of the bytes, or undefined when they are none. @throws Fault REQUEST_INVALID for anything else; nothing was done. */
export function decodeJson(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString());
  } catch {
    throw new Fault('REQUEST_INVALID', 'the message is not JSON', { expected: 'a JSON object' });
  }
}

/** A payload as sent: JSON, and behind it the raw block when there is one. */
export interface Encoded {
  readonly payload: Uint8Array;
  readonly bodyBytes?: number;
}

/** `raw` undefined: the body is all of the payload. The block is copied once, into the message. */
export function encodeBody(body: unknown, raw: Uint8Array | undefined): Encoded {
  const json = encodeJson(body);
  if (raw === undefined) return { payload: json };
  const payload = Buffer.allocUnsafe(json.byteLength + raw.byteLength);
  payload.set(json, 0);
  payload.set(raw, json.byteLength);
  return { payload, bodyBytes: json.byteLength };
}

export interface Decoded {
  readonly body: unknown;
  readonly raw: Uint8Array;
}

/** Opposite of {@link encodeBody}; no copy: `raw` is a view of the payload. @throws Fault REQUEST_INVALID. */
export function decodeBody(payload: Uint8Array, bodyBytes: number | undefined): Decoded {
  if (bodyBytes === undefined) return { body: decodeJson(payload) ?? {}, raw: empty };
  if (!(bodyBytes >= 0 && bodyBytes <= payload.byteLength)) {
    throw new Fault('REQUEST_INVALID', `the message says its body has ${bodyBytes} bytes of ${payload.byteLength}`);
  }
  return { body: decodeJson(payload.subarray(0, bodyBytes)) ?? {}, raw: payload.subarray(bodyBytes) };
}
