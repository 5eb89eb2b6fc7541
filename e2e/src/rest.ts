import type { JobView, NodeView, Problem } from '@das/contracts';

/** A refused request: the problem document and its status. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
  ) {
    super(`${status} ${problem.code}: ${problem.detail}`);
  }
}

export interface PartSummary {
  readonly part: string;
  readonly state: string;
  readonly attempts: ReadonlyArray<{
    readonly attempt: number;
    readonly node: string;
    readonly state: string;
    readonly term: number;
    readonly startedAt: number;
    readonly endedAt?: number;
  }>;
}

/** A plain REST client, as a user's own program would be: nothing of ours but the address and the token. */
export class Rest {
  constructor(
    readonly url: string,
    private readonly token: string,
  ) {}

  async raw(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, ...(init.headers as Record<string, string> | undefined) };
    return fetch(`${this.url}${path}`, { ...init, headers });
  }
  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const response = await this.raw(path, init);
    if (!response.ok) throw new Refused(response.status, (await response.json()) as Problem);
    return (await response.json()) as T;
  }
  /** @param key sent as Idempotency-Key */
  submit(submission: object, query = '', key?: string): Promise<JobView> {
    const body = JSON.stringify(submission);
    const headers = { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) };
    return this.json(`/v1/jobs${query}`, { method: 'POST', body, headers });
  }
  /** Streams `input` behind the submission. */
  async upload(submission: object, input: string | Blob, key?: string): Promise<JobView> {
    const form = new FormData();
    form.set('spec', JSON.stringify(submission));
    form.set('input', typeof input === 'string' ? new Blob([input]) : input, 'input');
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    return this.json('/v1/jobs', { method: 'POST', body: form, headers });
  }
  view(id: string): Promise<JobView> {
    return this.json(`/v1/jobs/${id}`);
  }
  async parts(id: string): Promise<PartSummary[]> {
    const all: PartSummary[] = [];
    let after: string | undefined;
    do {
      const query = after === undefined ? '?limit=1000' : `?limit=1000&after=${encodeURIComponent(after)}`;
      const page = await this.json<{ parts: PartSummary[]; next?: string }>(`/v1/jobs/${id}/parts${query}`);
      all.push(...page.parts);
      after = page.next;
    } while (after !== undefined);
    return all;
  }
  async results(id: string): Promise<string> {
    const response = await this.raw(`/v1/jobs/${id}/results`);
    if (!response.ok) throw new Refused(response.status, (await response.json()) as Problem);
    return response.text();
  }
  async nodes(): Promise<NodeView[]> {
    return (await this.json<{ nodes: NodeView[] }>('/v1/nodes')).nodes;
  }
  leader(): Promise<{ leader?: string; term: number; blocked?: string }> {
    return this.json('/v1/leader');
  }
  cancel(id: string): Promise<JobView> {
    return this.json(`/v1/jobs/${id}`, { method: 'DELETE' });
  }
}
