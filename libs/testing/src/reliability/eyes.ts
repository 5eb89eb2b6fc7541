import type { JobView, NodeView, PartView } from '@das/contracts';
import type { Cluster } from '@das/supervisor';

/** A frozen node answers nothing: another one is asked then (ms). */
const answerMs = 2_000;
const resultsMs = 60_000;
const pageMax = 1_000;

export interface LeaderSeen {
  readonly leader?: string;
  readonly term: number;
}

/** What a user sees of a cluster by REST, from whichever node answers. */
export class Eyes {
  constructor(private readonly cluster: Cluster) {}

  /** @throws Error when the node refuses or does not answer in time. */
  async ask<T>(node: string, path: string, init: RequestInit = {}, withinMs = answerMs): Promise<T> {
    return (await this.#open(node, path, init, withinMs)).json() as Promise<T>;
  }

  submit(node: string, submission: object): Promise<JobView> {
    const headers = { 'content-type': 'application/json' };
    return this.ask(node, '/v1/jobs', { method: 'POST', headers, body: JSON.stringify(submission) }, resultsMs);
  }
  view(id: string): Promise<JobView> {
    return this.#any((node) => this.ask<JobView>(node, `/v1/jobs/${id}`));
  }
  results(node: string, id: string): Promise<string> {
    return this.#open(node, `/v1/jobs/${id}/results`, {}, resultsMs).then((response) => response.text());
  }
  leaderSeenBy(node: string): Promise<LeaderSeen> {
    return this.ask(node, '/v1/leader');
  }
  leader(): Promise<LeaderSeen> {
    return this.#any((node) => this.leaderSeenBy(node));
  }
  async nodesSeenBy(node: string): Promise<readonly NodeView[]> {
    return (await this.ask<{ nodes: NodeView[] }>(node, '/v1/nodes')).nodes;
  }

  /** Every part of a job with all its attempts. */
  async parts(id: string): Promise<PartView[]> {
    const all: PartView[] = [];
    for (let after: string | undefined; ;) {
      const from = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
      const page = await this.#any((node) =>
        this.ask<{ parts: PartView[]; next?: string }>(node, `/v1/jobs/${id}/parts?limit=${pageMax}${from}`),
      );
      all.push(...page.parts);
      if (page.next === undefined) return all;
      after = page.next;
    }
  }

  /** The first answer of the nodes, which are asked at the same time. @throws AggregateError when none answers. */
  #any<T>(asked: (node: string) => Promise<T>): Promise<T> {
    return Promise.any(this.cluster.nodes.filter(({ state }) => state === 'ready').map(({ name }) => asked(name)));
  }

  async #open(node: string, path: string, init: RequestInit, withinMs: number): Promise<Response> {
    const { rest } = this.cluster.node(node);
    if (rest === undefined) throw new Error(`${node} has no address`);
    const headers = { ...(init.headers as Record<string, string>), authorization: `Bearer ${this.cluster.token}` };
    const response = await fetch(`${rest}${path}`, { ...init, headers, signal: AbortSignal.timeout(withinMs) });
    if (!response.ok) throw new Error(`${node} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
    return response;
  }
}
