import type { ResultStore } from '@das/jobs';

/** What an operation of the store takes, and what it resolves to. */
export type Ask<K extends keyof ResultStore> = Parameters<ResultStore[K]>[0];
export type Answer<K extends keyof ResultStore> = ReturnType<ResultStore[K]>;
