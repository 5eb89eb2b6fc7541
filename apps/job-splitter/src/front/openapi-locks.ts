import { lockNameSchema } from '@das/contracts';
import { z } from 'zod';
import { type Route, json, ref } from './openapi-parts.js';
import { lockQuery } from './query.js';

const path = z.object({ name: lockNameSchema });

/** Locks for users. */
export const lockRoutes: readonly Route[] = [
  {
    id: 'acquireLock',
    method: 'put',
    path: '/v1/locks/{name}',
    summary:
      'Take a lock, or wait for it. The same token again: the same fence and a new limit. Held by another: 409 LOCK_HELD with Retry-After.',
    pathParameters: path,
    body: { 'application/json': { schema: ref('LockAsk') } },
    responses: { 200: json('the lock; keep the token', 'Lock') },
  },
  {
    id: 'releaseLock',
    method: 'delete',
    path: '/v1/locks/{name}',
    summary: 'Release a lock; twice is fine.',
    pathParameters: path,
    query: lockQuery,
    responses: { 200: json('whether the token held it', 'LockReleased') },
  },
];
