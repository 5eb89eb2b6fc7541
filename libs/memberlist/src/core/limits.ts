/** Every bound of what a peer may make us hold or do. Sizes in bytes; the newest limits of the original where it has one. */
export const limits = {
  /** A node's own attributes inside `alive`. */
  metaBytesMax: 512,
  /** A label is counted by one byte on the wire. */
  labelBytesMax: 255,
  /** A name travels in every message about its node. */
  nameBytesMax: 512,
  /** Peers up to 0.3.1 compute twice the count in 8 bits and garble a compound of 128 parts or more. */
  compoundPartsMax: 127,
  /** Messages taken from one datagram, whatever is nested in it. */
  packetMessagesMax: 1024,
  /** Compounds and compressed messages inside each other. */
  nestingMax: 8,
  /** Decompressed bytes of one datagram, all its parts together. */
  packetInflatedBytesMax: 1 << 20,
  /** The largest datagram there is. */
  packetBytesMax: 65_536,
  /** Length announced by an encrypted stream's header. */
  streamSealedBytesMax: 20 << 20,
  /** A stream's message in plain, or what a compressed one inflates to. */
  streamBytesMax: 40 << 20,
  /** Members announced by a push/pull header. */
  pushPullNodesMax: 1 << 20,
  /** Decoding steps that a stream may take, whatever it is: its chunks are read again until a record is whole. */
  streamStepsFree: 1 << 20,
  /** And those that each of its bytes allows besides. */
  streamStepsPerByte: 16,
  /** A delegate's state in a push/pull. */
  userStateBytesMax: 20 << 20,
  /** One user message over a stream. */
  userMessageBytesMax: 20 << 20,
  /** One member's record in a push/pull list: parsed again as more bytes come, so it has to be small. */
  nodeStateBytesMax: 65_536,
  /** Depth of unknown values that a decoder skips. */
  skippedDepthMax: 16,
  /** Streams that others opened to us and that are still open; one more is dropped at once. */
  inboundStreamsMax: 512,
  /** Streams that we ended and whose peers have not; one more destroys the oldest. */
  lingeringStreamsMax: 512,
  /** Bytes kept of all open inbound streams together; the one that would exceed it is closed. */
  inboundBytesMax: 128 << 20,
  /** Members in the table: an open cluster must not be fillable. */
  membersMax: 200_000,
  /** Probes we relay for others at the same time. */
  relaysMax: 1024,
  /** User broadcasts and others waiting in one queue. */
  broadcastsMax: 65_536,
} as const;
