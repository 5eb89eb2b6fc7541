import { compositeHash, nodeHandle, typeHash, type Handle } from './handles.js';

/** An atom's place in the table. Numbers make indexes and comparisons small; handles are for the outside. */
export type AtomId = number;

export interface Node {
  readonly kind: 'node';
  readonly handle: Handle;
  readonly type: string;
  readonly name: string;
}

export interface Link {
  readonly kind: 'link';
  readonly handle: Handle;
  readonly type: string;
  readonly targets: readonly AtomId[];
  /** Stated for itself, not only inside another link. */
  toplevel: boolean;
}

export type Atom = Node | Link;

/** Per link type: all its links, and by position which of them point at which target. */
interface TypeIndex {
  readonly hash: Handle;
  readonly links: AtomId[];
  readonly byTarget: Map<AtomId, AtomId[]>[];
}

const none: readonly AtomId[] = [];

/**
 * All atoms, in the order they were added, which is the order of every answer. Adding an atom twice adds nothing.
 * Indexed so that a link pattern with one known target never looks at all links of its type.
 */
export class AtomTable {
  readonly #atoms: Atom[] = [];
  readonly #ids = new Map<Handle, AtomId>();
  readonly #links: AtomId[] = [];
  readonly #types = new Map<string, TypeIndex>();
  readonly #incoming = new Map<AtomId, AtomId[]>();

  get nodeCount(): number {
    return this.#atoms.length - this.#links.length;
  }

  get linkCount(): number {
    return this.#links.length;
  }

  addNode(type: string, name: string): AtomId {
    const handle = nodeHandle(type, name);
    return this.#ids.get(handle) ?? this.#add({ kind: 'node', handle, type, name });
  }

  addLink(type: string, targets: readonly AtomId[], toplevel: boolean): AtomId {
    const index = this.#typeIndex(type);
    const handle = compositeHash(
      index.hash,
      targets.map((target) => this.atom(target).handle),
    );
    const known = this.#ids.get(handle);
    if (known === undefined) return this.#addNewLink({ kind: 'link', handle, type, targets, toplevel }, index);
    if (toplevel) this.link(known).toplevel = true;
    return known;
  }

  find(handle: Handle): AtomId | undefined {
    return this.#ids.get(handle);
  }

  atom(id: AtomId): Atom {
    const atom = this.#atoms[id];
    if (atom === undefined) throw new RangeError(`no atom number ${id}`);
    return atom;
  }

  link(id: AtomId): Link {
    const atom = this.atom(id);
    if (atom.kind !== 'link') throw new TypeError(`atom ${atom.handle} is not a link`);
    return atom;
  }

  allLinks(): readonly AtomId[] {
    return this.#links;
  }

  linksOfType(type: string): readonly AtomId[] {
    return this.#types.get(type)?.links ?? none;
  }

  linksAt(type: string, position: number, target: AtomId): readonly AtomId[] {
    return this.#types.get(type)?.byTarget[position]?.get(target) ?? none;
  }

  /** Every link that has the atom among its targets, each once. */
  incoming(id: AtomId): readonly AtomId[] {
    return this.#incoming.get(id) ?? none;
  }

  #add(atom: Atom): AtomId {
    const id = this.#atoms.push(atom) - 1;
    this.#ids.set(atom.handle, id);
    return id;
  }

  #addNewLink(link: Link, index: TypeIndex): AtomId {
    const id = this.#add(link);
    this.#links.push(id);
    index.links.push(id);
    link.targets.forEach((target, position) => {
      append((index.byTarget[position] ??= new Map()), target, id);
    });
    for (const target of new Set(link.targets)) append(this.#incoming, target, id);
    return id;
  }

  #typeIndex(type: string): TypeIndex {
    let index = this.#types.get(type);
    if (index === undefined) {
      index = { hash: typeHash(type), links: [], byTarget: [] };
      this.#types.set(type, index);
    }
    return index;
  }
}

function append(index: Map<AtomId, AtomId[]>, key: AtomId, value: AtomId): void {
  const values = index.get(key);
  if (values === undefined) index.set(key, [value]);
  else values.push(value);
}
