import type { AtomId, AtomTable } from './atom-table.js';
import type { Rng } from './rng.js';

const consonants = 'bdfghjklmnprstv';
const vowels = 'aeiou';
const syllableCount = consonants.length * vowels.length;
/** Names have four syllables; this is how many there are. */
const nameCount = syllableCount ** 4;
/** Coprime to `nameCount` (= 3^4 · 5^8): stepping by it visits every name once, in no visible order. */
const nameStride = 7_368_787;
const conceptsMin = 8;
const similaritiesPerConcept = 4;

/** What `generate` accepts at most; its concepts still have names of their own. */
export const similaritiesMax = 2_000_000;

/**
 * Adds a synthetic knowledge base: exactly `similarities` Similarity links (in pairs, both ways) between a quarter as
 * many concepts, each of which, but for the first, inherits from an earlier one. The same seed makes the same base.
 */
export function generate(table: AtomTable, similarities: number, rng: Rng): void {
  const count = Math.max(conceptsMin, Math.ceil(similarities / similaritiesPerConcept));
  const concepts = Array.from({ length: count }, (_, index) => table.addNode('Concept', conceptName(index)));
  addTaxonomy(table, concepts, rng);
  addSimilarities(table, concepts, similarities, rng);
}

function addTaxonomy(table: AtomTable, concepts: readonly AtomId[], rng: Rng): void {
  concepts.forEach((concept, index) => {
    if (index > 0) table.addLink('Inheritance', [concept, pick(concepts, index, rng)], true);
  });
}

function addSimilarities(table: AtomTable, concepts: readonly AtomId[], wanted: number, rng: Rng): void {
  const goal = table.linkCount + wanted;
  // A pair drawn again adds nothing, so we draw until there are enough. There always are: even the smallest base,
  // 8 concepts with 56 possible links, is asked for 32 at most.
  while (table.linkCount < goal) {
    const one = pick(concepts, concepts.length, rng);
    const other = pick(concepts, concepts.length, rng);
    if (one === other) continue;
    table.addLink('Similarity', [one, other], true);
    if (table.linkCount < goal) table.addLink('Similarity', [other, one], true);
  }
}

/** One of the first `count`. */
function pick(concepts: readonly AtomId[], count: number, rng: Rng): AtomId {
  const concept = concepts[Math.floor(rng() * count)];
  if (concept === undefined) throw new RangeError(`no concept among the first ${count}`);
  return concept;
}

/** A pronounceable name, different for every index. */
function conceptName(index: number): string {
  let rest = (index * nameStride) % nameCount;
  let name = '';
  for (let i = 0; i < 4; i++) {
    const syllable = rest % syllableCount;
    name += consonants.charAt(Math.floor(syllable / vowels.length)) + vowels.charAt(syllable % vowels.length);
    rest = Math.floor(rest / syllableCount);
  }
  return name;
}
