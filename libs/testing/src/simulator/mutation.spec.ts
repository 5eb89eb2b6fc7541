import { foundBy } from './find-mutants.js';
import { mutants } from './mutants.js';

/** The watch must bite: each protection is taken away in turn, and must be missed. Also: `node tools/simulate.mjs --mutants`. */
describe('a cluster under faults, broken on purpose', () => {
  it.each(Object.entries(mutants))('it is found that %s', (_, mutant) => {
    expect(foundBy(mutant)).toBeDefined();
  });

  it('a scenario finds nothing where nothing is broken', () => {
    for (const { directed } of Object.values(mutants)) expect(() => directed?.({})).not.toThrow();
  });
});
