import { type Route, json, ref } from './openapi-parts.js';

/** Members and gossip keys. */
export const memberRoutes: readonly Route[] = [
  {
    id: 'listMembers',
    method: 'get',
    path: '/v1/members',
    summary: 'Who is here, as the gossip of the asked node sees it; the dead and the left for ten minutes.',
    responses: { 200: json('the members', 'Members') },
  },
  {
    id: 'listGossipKeys',
    method: 'get',
    path: '/v1/gossip/keys',
    summary: 'Which gossip keys each present member has, by their fingerprints.',
    responses: { 200: json('the keys by node', 'GossipKeys') },
  },
  {
    id: 'changeGossipKeys',
    method: 'post',
    path: '/v1/gossip/keys',
    summary:
      'One step of a key rotation on every present member: install, use, remove. `complete` is false when a node did not do it; it is named.',
    body: { 'application/json': { schema: ref('GossipKeyChange') } },
    responses: { 200: json('what became of it on each node', 'GossipKeys') },
  },
];
