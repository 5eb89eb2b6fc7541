/** Bounds of everything that comes from outside. Each has its reason; all are tested. */
export const limits = {
  /** NATS `max_payload` of our servers; larger messages are refused before they are sent. */
  payloadBytesMax: 2 * 1024 * 1024,
  /** A page of a block, an output or a blob: half the payload, so that body and headers always fit. */
  pageBytesMax: 1024 * 1024,
  /** Items of one stored block; a block never holds more bytes unless it is a single item. */
  blockBytes: 256 * 1024,
  blockItemsMax: 65_536,
  /** One item, as JSON text. Fits a page whole. */
  itemBytesMax: 1024 * 1024 - 1024,
  /** Input of one part (DESIGN: bounded by bytes too). */
  partBytesMax: 512 * 1024,
  itemsPerPartMax: 1_000_000,
  /** A script's text. */
  codeBytesMax: 512 * 1024,
  /** A code bundle: all its files, unpacked. It is fetched by every node that runs a part. */
  bundleBytesMax: 64 * 1024 * 1024,
  bundleFilesMax: 10_000,
  /** Path of a file in a bundle (characters): leaves room for the folder it is unpacked into. */
  bundlePathChars: 400,
  /** Path of a virtual environment (characters): it stands in messages. */
  venvPathChars: 400,
  /** An archive of a bundle as it is sent: padding and names of a tar come on top of the files. */
  archiveBytesMax: 96 * 1024 * 1024,
  /** The JSON of a submission without its input. */
  specBytesMax: 1024 * 1024,
  /** An upload of which nothing comes for this long is taken for broken, and its job is dropped (ms). */
  uploadIdleMs: 600_000,
  /** While anything of an upload comes, the store hears of it this often, however slowly its blocks fill (ms). */
  uploadTouchMs: 60_000,
  /** Voters of an election: more of them answer more slowly and make nothing safer. */
  votersMax: 15,
  /** A submission's key is kept this long (ms); a client that still does not know its job by then has given up. */
  keyKeptMs: 24 * 3600 * 1000,
  keyOwnerChars: 128,
  /** No progress for this long ends an attempt, unless its job says otherwise; `gather` and `main` have no such default (ms). */
  timeoutMsDefault: 10_000,
  timeoutMsMax: 24 * 3600 * 1000,
  /** Whoever runs a hook has the store confirm its attempt this often; it ends its worker once the last confirmation was asked for longer ago than the lease (ms). */
  hookConfirmMs: 1_000,
  hookLeaseMs: 3_000,
  /** After an attempt of a hook was ended, none starts for this long: the lease, and a second for its worker to end and for clocks that differ in pace (ms). */
  hookRestMs: 4_000,
  messageChars: 4_000,
  tracebackChars: 8_000,
  /** Failed items told in one commit; a worker gives the rest of its part back after that many. */
  failuresPerCommitMax: 20,
  /** Items, or a result, that are no longer travel with a message that is sent anyway (characters). */
  inlineCharsMax: 2_048,
  /** Result of one item, as JSON text. */
  resultBytesMax: 16 * 1024 * 1024,
} as const;

/** A submission's key: visible ASCII, as long as an identifier of any kind may need. */
export const submissionKeyPattern = /^[\x21-\x7e]{1,255}$/;
