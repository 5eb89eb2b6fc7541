/** A script, or a bundle as it travels. */
export interface CodeUpload {
  readonly filename: string;
  readonly bytes?: Uint8Array;
  readonly chunks?: () => Iterable<Uint8Array>;
}

/** Parts of a submission: `spec` (JSON), `code` (the script), `input` (items, streamed). */
export interface SubmissionParts {
  readonly spec: object;
  /** Absent: `spec` names what is stored. */
  readonly code: CodeUpload | undefined;
  readonly input: AsyncIterable<Uint8Array> | undefined;
  /** The input once more, from its start; absent when it comes only once. */
  readonly reopen?: (() => AsyncIterable<Uint8Array>) | undefined;
}

/** The body of a multipart request but for its {@link multipartEnd}, no faster than it is read. `boundary` must not occur in it: make it random. */
export async function* multipartBody(
  { spec, code, input }: SubmissionParts,
  boundary: string,
): AsyncGenerator<Uint8Array, void> {
  const head = (name: string, type: string, filename?: string): string =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n` +
    `Content-Type: ${type}\r\n\r\n`;
  yield Buffer.from(`${head('spec', 'application/json')}${JSON.stringify(spec)}\r\n`);
  if (code) {
    yield Buffer.from(head('code', 'application/octet-stream', quotable(code.filename)));
    if (code.bytes !== undefined) yield code.bytes;
    yield* code.chunks?.() ?? [];
    yield Buffer.from('\r\n');
  }
  if (input) {
    yield Buffer.from(head('input', 'application/octet-stream', 'input'));
    for await (const chunk of input) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    yield Buffer.from('\r\n');
  }
}

/** Without it a body is half a submission, which no node takes. */
export const multipartEnd = (boundary: string): Buffer => Buffer.from(`--${boundary}--\r\n`);

/** As browsers do it. */
const quotable = (name: string): string => name.replace(/[\r\n]/g, ' ').replaceAll('"', '%22');
