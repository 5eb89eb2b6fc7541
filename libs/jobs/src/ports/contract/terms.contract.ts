/// <reference types="jest" />
import { nodeId } from '@das/kernel';
import { type Given, node1, node2 } from './scenario.js';

export function termRules(given: Given): void {
  describe('terms', () => {
    it('grants a term to one of twenty claims', async () => {
      const s = await given();
      const { term } = await s.store.currentTerm({});
      const claims = Array.from({ length: 20 }, (_, i) =>
        (i % 2 ? s.store : s.other).claimTerm({ node: nodeId(`node-${i}`), above: term }),
      );
      const replies = await Promise.all(claims);
      const winners = replies.flatMap(({ granted }, i) => (granted ? [`node-${i}`] : []));
      expect(winners).toHaveLength(1);
      expect(replies.every((reply) => reply.term === term + 1 && reply.leader === winners[0])).toBe(true);
      expect(await s.store.currentTerm({})).toMatchObject({ term: term + 1, leader: winners[0] });
    });

    it('answers a repeated claim as the first, and refuses one for a term that is over', async () => {
      const s = await given();
      const above = s.term;
      expect(await s.store.claimTerm({ node: node2, above })).toEqual({
        term: above + 1,
        leader: node2,
        granted: true,
      });
      expect(await s.store.claimTerm({ node: node2, above })).toEqual({
        term: above + 1,
        leader: node2,
        granted: true,
      });
      expect(await s.store.claimTerm({ node: node1, above })).toEqual({
        term: above + 1,
        leader: node2,
        granted: false,
      });
      await s.store.claimTerm({ node: node1, above: above + 1 });
      expect((await s.store.claimTerm({ node: node2, above })).granted).toBe(false);
    });

    it('renews for the holder of the current term only', async () => {
      const s = await given();
      expect(await s.store.renewTerm({ node: node1, term: s.term })).toEqual({
        term: s.term,
        leader: node1,
        held: true,
      });
      expect((await s.store.renewTerm({ node: node2, term: s.term })).held).toBe(false);
      const old = s.term;
      await s.lead(node2);
      expect(await s.store.renewTerm({ node: node1, term: old })).toEqual({ term: s.term, leader: node2, held: false });
      expect((await s.store.currentTerm({})).renewedAgoMs).toBeGreaterThanOrEqual(0);
    });
  });
}
