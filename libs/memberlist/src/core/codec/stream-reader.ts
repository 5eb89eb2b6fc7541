import { limits } from '../limits.js';
import { concat, noBytes, readU32 } from './bytes.js';
import { inflate } from './compress.js';
import { decrypt } from './encryption.js';
import { labelProblem, removeLabel } from './label.js';
import { MsgpackReader } from './msgpack-reader.js';
import { codes } from './schema.js';
import { StreamBody, type StreamProgress, more, streamFault } from './stream-body.js';
import { frameHeadBytes } from './stream-message.js';
import { readStruct } from './struct.js';
import type { Wire } from './wire.js';
import { Work } from './work.js';

/**
 * Reads the one message of a stream's direction from chunks of any size. Streams have no length prefix unless they are encrypted,
 * and the sender does not close its side, so waiting for the end would wait for ever. What follows the message is ignored.
 */
export class StreamReader {
  #bytes: Uint8Array = noBytes;
  #length = 0;
  #labelPending: boolean;
  #done: StreamProgress | undefined;
  readonly #body: StreamBody;
  /** What reading has cost so far. */
  readonly work = new Work();

  /** `from`: the dialler sends the label's header first, the listener's answer has none. */
  constructor(
    private readonly wire: Wire,
    from: 'dialler' | 'listener',
  ) {
    this.#labelPending = from === 'dialler';
    this.#body = new StreamBody(this.work);
  }

  /** Bytes that are kept because the message is not whole. */
  get bufferedBytes(): number {
    return this.#bytes.length;
  }

  /** Takes a chunk. After a message or a fault every further call gives the same again. */
  feed(chunk: Uint8Array): StreamProgress {
    if (this.#done !== undefined) return this.#done;
    const progress =
      this.#refusal() ?? (this.#append(chunk) ? this.#advance() : streamFault('tooLarge', 'stream is too long'));
    if (progress.kind === 'more') return progress;
    this.#done = progress;
    this.#bytes = noBytes;
    return progress;
  }

  /** What is not whole is read again with every chunk. Whoever sends it in crumbs on purpose must not get far with that. */
  #refusal(): StreamProgress | undefined {
    const stepsMax = limits.streamStepsFree + limits.streamStepsPerByte * this.#length;
    return this.work.steps > stepsMax ? streamFault('tooLarge', 'stream costs too much to read') : undefined;
  }

  #append(chunk: Uint8Array): boolean {
    const needed = this.#length + chunk.length;
    if (needed > limits.streamBytesMax) return false;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2, 1024));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = needed;
    return true;
  }

  #advance(): StreamProgress {
    if (this.#labelPending) {
      const problem = this.#takeLabel();
      if (problem !== undefined) return problem;
    }
    const bytes = this.#bytes.subarray(0, this.#length);
    if (bytes.length === 0) return more;
    if (bytes[0] === codes.encrypted) return this.#encrypted(bytes);
    if (this.wire.keyring.primary !== undefined && this.wire.verifyIncoming) {
      return streamFault('plaintext', 'encryption is configured but the remote stream is not encrypted');
    }
    if (bytes[0] === codes.compressed) return this.#compressed(bytes);
    return this.#body.parse(bytes);
  }

  /** Nothing when the label is dealt with. */
  #takeLabel(): StreamProgress | undefined {
    if (this.#length === 0) return more;
    const labelled = removeLabel(this.#bytes.subarray(0, this.#length));
    if (labelled === 'short') return more;
    if (!labelled.ok) return streamFault('label', labelled.problem);
    const problem = labelProblem(labelled.value.label, this.wire);
    if (problem !== undefined) return streamFault('label', problem);
    this.#labelPending = false;
    this.#bytes = labelled.value.rest.slice();
    this.#length = this.#bytes.length;
    return undefined;
  }

  #encrypted(bytes: Uint8Array): StreamProgress {
    if (this.wire.keyring.primary === undefined) {
      return streamFault('decrypt', 'remote stream is encrypted and encryption is not configured');
    }
    if (bytes.length < frameHeadBytes) return more;
    const length = readU32(bytes, 1);
    if (length > limits.streamSealedBytesMax) return streamFault('tooLarge', `encrypted stream of ${length} bytes`);
    const end = frameHeadBytes + length;
    if (bytes.length < end) return more;
    const aad = concat([bytes.subarray(0, frameHeadBytes), this.wire.label]);
    const opened = decrypt(this.wire.cipher, this.wire.keyring, bytes.subarray(frameHeadBytes, end), aad);
    if (!opened.ok) return streamFault('decrypt', opened.problem);
    if (opened.value[0] === codes.compressed) return whole(this.#compressed(opened.value));
    return whole(this.#body.parse(opened.value));
  }

  #compressed(bytes: Uint8Array): StreamProgress {
    const wrapper = readStruct('compressed', new MsgpackReader(bytes, 1, this.work));
    if ('fault' in wrapper) {
      return wrapper.fault === 'short' ? more : streamFault('malformed', `compressed: ${wrapper.fault.problem}`);
    }
    const content = inflate(wrapper.value, limits.streamBytesMax, this.work);
    return content.ok ? whole(this.#body.parse(content.value)) : streamFault('malformed', content.problem);
  }
}

/** Inside a wrapper no more bytes will come. */
function whole(progress: StreamProgress): StreamProgress {
  return progress.kind === 'more' ? streamFault('truncated', 'message is truncated') : progress;
}
