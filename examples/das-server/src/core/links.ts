import type { AtomId, AtomTable } from './atom-table.js';
import type { Handle } from './handles.js';

/** Stands for any type, or any target. */
export const wildcard = '*';

export interface LinkFilter {
  readonly type: string;
  readonly targetTypes?: readonly string[] | undefined;
  readonly targets?: readonly Handle[] | undefined;
  readonly toplevelOnly?: boolean | undefined;
}

/** The links that pass, in the order they were added. */
export function* filterLinks(table: AtomTable, filter: LinkFilter): Generator<AtomId, void> {
  for (const id of candidates(table, filter)) {
    const { type, targets, toplevel } = table.link(id);
    if (filter.type !== wildcard && type !== filter.type) continue;
    if (filter.toplevelOnly === true && !toplevel) continue;
    const atoms = targets.map((target) => table.atom(target));
    if (!agree(filter.targetTypes, atoms, (atom) => atom.type)) continue;
    if (agree(filter.targets, atoms, (atom) => atom.handle)) yield id;
  }
}

/** The shortest of the table's lists that hold every link that may pass. */
function candidates(table: AtomTable, { type, targets = [] }: LinkFilter): readonly AtomId[] {
  const byTarget = targets
    .map((handle, position) => ({ handle, position }))
    .filter(({ handle }) => handle !== wildcard)
    .map(({ handle, position }) => {
      const id = table.find(handle);
      if (id === undefined) return [];
      return type === wildcard ? table.incoming(id) : table.linksAt(type, position, id);
    });
  const all = type === wildcard ? table.allLinks() : table.linksOfType(type);
  return byTarget.reduce((shortest, list) => (list.length < shortest.length ? list : shortest), all);
}

/** As many as wanted, and each as wanted. */
function agree<T>(wanted: readonly string[] | undefined, atoms: readonly T[], property: (atom: T) => string): boolean {
  if (wanted === undefined) return true;
  return (
    wanted.length === atoms.length && atoms.every((atom, i) => wanted[i] === wildcard || wanted[i] === property(atom))
  );
}
