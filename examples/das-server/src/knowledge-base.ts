import { readFileSync } from 'node:fs';
import { AtomTable } from './core/atom-table.js';
import { generate } from './core/generate.js';
import { loadMetta, type Declarations } from './core/metta.js';
import { seededRng } from './core/rng.js';

export interface Contents {
  /** MeTTa files; the types that one declares hold in the next. */
  readonly files: readonly (string | URL)[];
  /** Similarity links to generate; 0 for none. */
  readonly similarities: number;
  readonly seed: number;
}

/** @throws MettaSyntaxError, or what reading a file throws */
export function buildTable({ files, similarities, seed }: Contents): AtomTable {
  const table = new AtomTable();
  const types: Declarations = new Map();
  for (const file of files) loadMetta(readFileSync(file, 'utf8'), table, types);
  if (similarities > 0) generate(table, similarities, seededRng(seed));
  return table;
}
