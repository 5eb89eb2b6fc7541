import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy';
import { Fault, limits } from '@das/contracts';
import { messageOf } from '@das/kernel';
import type { Request } from 'express';
import { collect, parseJson } from './body.js';
import { type ArchiveRoom, type CodePart, readCode } from './code-part.js';
import { onIdleBody, pausedTooLong } from './idle-body.js';

/** A submission as a multipart request carries it. `input` must be read to its end, or left with an error. */
export interface MultipartSubmission {
  readonly submission: unknown;
  readonly input: AsyncIterable<Uint8Array> | undefined;
  /** The part `code`, when it is no text. */
  readonly archive: Uint8Array | undefined;
  /** The archive is of no further use. */
  readonly release: () => void;
}

/** Parts besides `input`, and more than any sane client sends. */
const partsMax = 16;

/**
 * Reads `spec` and `code`, and resolves at the beginning of `input`, or at the end when there is none: the items are never held.
 * @throws Fault REQUEST_INVALID for parts that are unknown, twice, or after `input`; PAYLOAD_TOO_LARGE.
 */
export async function readMultipart(request: Request, room: ArchiveRoom): Promise<MultipartSubmission> {
  const reader = new MultipartReader(request, room);
  try {
    const input = await reader.begun;
    const submission = await reader.submission(input !== undefined);
    return { submission, input, archive: await reader.archive(), release: () => reader.release() };
  } catch (error) {
    reader.release();
    throw error;
  }
}

interface SmallPart {
  readonly text?: string;
  readonly archive?: Uint8Array;
  readonly filename: string | undefined;
}

class MultipartReader {
  /** The input, at its first byte; undefined when the body ended without one. */
  readonly begun: Promise<AsyncIterable<Uint8Array> | undefined>;
  readonly #small = new Map<string, Promise<SmallPart>>();
  readonly #ended: Promise<void>;
  #input: BusboyFileStream | undefined;
  #fail: (fault: Fault) => void = () => undefined;
  /** Nobody reads on: what still comes is thrown away instead of piling up in the parser. */
  readonly #discard: () => void;

  /** Set once there is an archive to hold. */
  #leave: () => void = () => undefined;

  constructor(
    request: Request,
    private readonly room: ArchiveRoom,
  ) {
    const busboy = parserOf(request);
    this.#discard = () => {
      request.unpipe(busboy);
      request.resume();
    };
    this.#ended = new Promise<void>((resolve, reject) => {
      this.#fail = (fault) => {
        reject(fault);
        this.#input?.destroy(fault);
        this.#discard();
      };
      busboy.once('finish', resolve);
    });
    this.begun = new Promise((resolve, reject) => {
      busboy.on('file', (name, file, filename) => this.#part(name, file, filename, resolve));
      this.#ended.then(() => resolve(undefined), reject);
    });
    busboy.on('error', (error) => this.#fail(broken(messageOf(error))));
    request.once('close', () => {
      if (!request.complete) this.#fail(broken('the connection was closed'));
    });
    onIdleBody(request, () => this.#fail(pausedTooLong()));
    request.pipe(busboy);
  }

  /** The JSON of `spec`, with the script and the kind of input that the other parts tell. */
  async submission(hasInput: boolean): Promise<unknown> {
    const spec = await this.#small.get('spec');
    const code = await this.#small.get('code');
    const given = spec?.text === undefined ? {} : parseJson(spec.text, 'spec');
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
    const withInput = hasInput && !('input' in given) ? { ...given, input: { format: 'ndjson' } } : given;
    return code === undefined ? withInput : { ...withInput, code: merged('code' in given ? given.code : {}, code) };
  }

  async archive(): Promise<Uint8Array | undefined> {
    return (await this.#small.get('code'))?.archive;
  }

  release(): void {
    this.#leave();
  }

  #part(
    name: string,
    file: BusboyFileStream,
    filename: string | undefined,
    begin: (input: AsyncIterable<Uint8Array>) => void,
  ): void {
    // A body that ends early is told by an event, which without a listener would end the process.
    file.on('error', () => undefined);
    const refused = this.#refusal(name);
    if (refused !== undefined) {
      file.resume();
      this.#fail(refused);
    } else if (name === 'input') {
      this.#input = file;
      begin(this.#whole(file));
    } else {
      this.#small.set(name, this.#smallPart(name, file, filename));
    }
  }

  #refusal(name: string): Fault | undefined {
    const shown = JSON.stringify(String(name).slice(0, 60));
    if (this.#input !== undefined)
      return invalid(`the part ${shown} comes after \`input\``, 'the parts in the order spec, code, input');
    if (name !== 'spec' && name !== 'code' && name !== 'input')
      return invalid(`the part ${shown} is not known`, 'the parts spec, code and input');
    return this.#small.has(name) ? invalid(`the part ${shown} came twice`, 'each part once') : undefined;
  }

  #smallPart(name: string, file: BusboyFileStream, filename: string | undefined): Promise<SmallPart> {
    const part = this.#read(name, file).then((read) => ({ ...read, filename }));
    part.catch((error: unknown) => this.#fail(error instanceof Fault ? error : broken(messageOf(error))));
    return part;
  }

  async #read(name: string, file: BusboyFileStream): Promise<{ text: string } | CodePart> {
    if (name === 'spec') return { text: (await collect(file, limits.specBytesMax, name)).toString('utf8') };
    return readCode(file, () => (this.#leave = this.room.enter()));
  }

  /** The items' bytes; its end means that the whole request came, and nothing wrong behind. */
  async *#whole(file: BusboyFileStream): AsyncGenerator<Uint8Array, void> {
    let whole = false;
    try {
      for await (const chunk of file) yield chunk as Uint8Array;
      whole = true;
    } catch (error) {
      throw error instanceof Fault ? error : broken(messageOf(error));
    } finally {
      if (!whole) this.#discard();
    }
    await this.#ended;
  }
}

function parserOf(request: Request): BusboyInstance {
  try {
    return new Busboy({
      headers: { ...request.headers, 'content-type': request.headers['content-type'] ?? '' },
      isPartAFile: () => true,
      limits: { files: partsMax, parts: partsMax },
    });
  } catch (error) {
    throw broken(messageOf(error));
  }
}

function merged(code: unknown, part: SmallPart): object {
  const given = typeof code === 'object' && code !== null ? code : {};
  if ('text' in given || 'bundle' in given)
    throw invalid('the script came twice: in spec.code and as the part `code`', 'one of both');
  const { text, filename } = part;
  return { ...(filename !== undefined && { filename }), ...given, ...(text !== undefined && { text }) };
}

const invalid = (message: string, expected: string): Fault =>
  new Fault('REQUEST_INVALID', message, { field: 'body', expected });

const broken = (why: string): Fault =>
  new Fault('REQUEST_INVALID', `the multipart request broke off: ${why.slice(0, 200)}`, {
    field: 'body',
    expected: 'a whole multipart/form-data body with the parts spec, code and input',
  });
