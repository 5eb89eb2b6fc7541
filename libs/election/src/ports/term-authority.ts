import type { NodeId } from '@das/kernel';

/** The current term and who was granted it; term 0 has no leader. */
export interface CurrentTerm {
  readonly term: number;
  readonly leader?: NodeId | undefined;
}

/**
 * Role: grants terms, one leader each, and they only grow. The store is the only one (`store.claim-term`, `store.renew-term`).
 * Ordering: calls of one node are made one at a time. Idempotency: a repeated claim whose first answer was lost is refused and names
 * the caller as leader; the caller then claims the next term. Every method rejects when the store cannot be asked: the claim may have happened.
 */
export interface TermAuthority {
  /** Grants the next term iff the current one is still `above`. */
  claim(above: number): Promise<CurrentTerm & { readonly granted: boolean }>;
  /** Confirms that the term is the current one and held by this node. */
  renew(term: number): Promise<CurrentTerm & { readonly held: boolean }>;
  current(): Promise<CurrentTerm>;
}
