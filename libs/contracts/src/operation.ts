import type { z } from 'zod';

/**
 * A request with one reply. `subject` may hold `{node}`, the name of the node it is addressed to.
 * Delivery: at most once per send; callers repeat with the same content, so every handler is idempotent.
 * `queue: true` – one instance of the service answers; `false` – the addressed node's instance answers.
 */
export interface Operation<Request, Reply> {
  readonly kind: 'operation';
  readonly name: string;
  readonly subject: string;
  /** Of a queue's operation: the subject of the instance on one node, `{node}`. */
  readonly near?: string;
  readonly queue: boolean;
  readonly request: z.ZodType<Request>;
  readonly reply: z.ZodType<Reply>;
}

/**
 * A fact told to everyone who listens; when `subject` holds `{node}`, to the services of one node only.
 * Delivery: at most once; a lost one costs a poll, never a result.
 */
export interface Announcement<Body> {
  readonly kind: 'announcement';
  readonly name: string;
  readonly subject: string;
  readonly body: z.ZodType<Body>;
}

const prefix = 'das.v1';

/** `das.v1.<area>.<verb>`, answered by one instance of the service that owns the area; `das.v1.<area>.<node>.<verb>` by the one on that node. */
export function operation<Request, Reply>(
  name: `${string}.${string}`,
  request: z.ZodType<Request>,
  reply: z.ZodType<Reply>,
): Operation<Request, Reply> {
  const near = `${prefix}.${name.replace('.', '.{node}.')}`;
  return { kind: 'operation', name, subject: `${prefix}.${name}`, near, queue: true, request, reply };
}

/** `das.v1.<area>.<node>.<verb>`, answered by the instance on that node. */
export function nodeOperation<Request, Reply>(
  area: string,
  verb: string,
  request: z.ZodType<Request>,
  reply: z.ZodType<Reply>,
): Operation<Request, Reply> {
  const name = `${area}.${verb}`;
  return { kind: 'operation', name, subject: `${prefix}.${area}.{node}.${verb}`, queue: false, request, reply };
}

/** `das.v1.<area>.<fact>`, heard by every instance. */
export function announcement<Body>(name: `${string}.${string}`, body: z.ZodType<Body>): Announcement<Body> {
  return { kind: 'announcement', name, subject: `${prefix}.${name}`, body };
}

/**
 * `das.v1.<area>.<node>.<fact>`, heard by the services of that node: what only they heed must not wake those of every other node, or an
 * idle cluster's traffic grows with the square of its nodes.
 */
export function nodeAnnouncement<Body>(area: string, fact: string, body: z.ZodType<Body>): Announcement<Body> {
  const name = `${area}.${fact}`;
  return { kind: 'announcement', name, subject: `${prefix}.${area}.{node}.${fact}`, body };
}

/** Puts the node's name into a node-addressed subject. A name is a restricted token (kernel ids), so it cannot widen the subject. */
export function subjectFor(subject: string, node: string): string {
  return subject.replace('{node}', node);
}

/** What an operation takes and answers, for signatures. */
export type RequestOf<O> = O extends { readonly request: z.ZodType<infer Request> } ? Request : never;
export type ReplyOf<O> = O extends { readonly reply: z.ZodType<infer Reply> } ? Reply : never;
export type BodyOf<A> = A extends { readonly body: z.ZodType<infer Body> } ? Body : never;
