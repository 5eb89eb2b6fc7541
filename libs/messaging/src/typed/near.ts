import { type Operation, subjectFor } from '@das/contracts';

/** How long an instance that failed its callers is passed over (ms): one that is away, and one that is there but does not answer or has no store. */
const awayMs = 10_000;
const unwellMs = 3_000;

/** What an instance next door may suffer from while others of its service are well. */
const passOver: ReadonlyMap<string, number> = new Map([
  ['SERVICE_UNAVAILABLE', awayMs],
  ['REQUEST_TIMEOUT', unwellMs],
  ['STORE_UNAVAILABLE', unwellMs],
]);

/**
 * Of several instances of a service, the one on the caller's own node is asked first. A node that is cut off then harms itself only: the server
 * of the bus does not know for minutes that its instances are gone, and gives them their share of every queue.
 */
export class Near {
  /** By area of operations, of which there are few: when the one next door is asked again (monotonic ms). */
  readonly #notBefore = new Map<string, number>();

  /** The subject of the instance on this node; `undefined`: ask any. */
  subject({ name, near }: Operation<unknown, unknown>, node: string, now: number): string | undefined {
    return near === undefined || now < (this.#notBefore.get(areaOf(name)) ?? 0) ? undefined : subjectFor(near, node);
  }

  /** Whether another instance may do better; the one next door is passed over for a while then. */
  failed(name: string, code: string, now: number): boolean {
    const pauseMs = passOver.get(code);
    if (pauseMs !== undefined) this.#notBefore.set(areaOf(name), now + pauseMs);
    return pauseMs !== undefined;
  }
}

const areaOf = (name: string): string => name.slice(0, name.indexOf('.'));
