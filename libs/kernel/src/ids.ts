/** A string that only {@link brand} may turn into an id of one kind, so that a job id is never passed where a node is meant. */
export type Brand<T, B extends string> = T & { readonly __brand: B };

/** A node's name: `[A-Za-z0-9_-]{1,64}`; unique in its cluster, and a subject token on the bus. */
export type NodeId = Brand<string, 'NodeId'>;
/** A job's id: `[A-Za-z0-9_-]{1,64}`, made by the node that accepted the submission. */
export type JobId = Brand<string, 'JobId'>;
/** A part's id, readable and derived: `<kind>:<from>-<to>`, with `~<tries>` after a retry; unique within a job's generation. */
export type PartId = Brand<string, 'PartId'>;

const token = /^[A-Za-z0-9_-]{1,64}$/;

/** @throws RangeError when the text could not be a subject token; nothing is changed. */
export function nodeId(text: string): NodeId {
  return checked(text, 'node name') as NodeId;
}
/** @throws RangeError when the text could not be a subject token; nothing is changed. */
export function jobId(text: string): JobId {
  return checked(text, 'job id') as JobId;
}

/** NATS ADR-6 restricted term: a dot or a wildcard in an id would silently change who receives a message. */
function checked(text: string, what: string): string {
  if (!token.test(text)) throw new RangeError(`not a ${what}: ${JSON.stringify(text.slice(0, 80))}`);
  return text;
}
