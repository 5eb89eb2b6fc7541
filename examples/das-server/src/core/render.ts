import type { Answer } from './answers.js';
import type { AtomId, AtomTable, Link } from './atom-table.js';
import { compositeHash, typeHash, type Handle } from './handles.js';

type Json = Record<string, unknown>;
/** The hashes of the types below an atom: a text for a node, a list for a link. */
type CompositeType = Handle | CompositeType[];

/** An atom with everything there is to say about it. */
export function atomDocument(table: AtomTable, id: AtomId): Json {
  const atom = table.atom(id);
  if (atom.kind === 'link') return linkDocument(table, id, atom);
  const { handle, name, type } = atom;
  return { handle, composite_type_hash: typeHash(type), name, named_type: type, type };
}

/** A link and, as documents, its targets. */
export function linkWithTargets(table: AtomTable, id: AtomId): [Json, Json[]] {
  return [atomDocument(table, id), table.link(id).targets.map((target) => atomDocument(table, target))];
}

/** An atom as it stands in the answer to a query: short, with its targets inside. */
export function subgraph(table: AtomTable, id: AtomId): Json {
  const atom = table.atom(id);
  const { handle, type } = atom;
  if (atom.kind === 'node') return { handle, type, name: atom.name };
  return { handle, type, targets: atom.targets.map((target) => subgraph(table, target)) };
}

/** How an assignment is written: as the text that upstream's JSON had, or as an object (ours). */
export type AssignmentFormat = 'string' | 'object';

/** `[assignment, subgraph]`; a query without variables has no assignment, hence `null`. */
export function answerDocument(table: AtomTable, answer: Answer, format: AssignmentFormat): [unknown, unknown] {
  const { matched } = answer;
  return [
    assignmentDocument(table, answer, format),
    typeof matched === 'number' ? subgraph(table, matched) : matched.map((id) => subgraph(table, id)),
  ];
}

function assignmentDocument(table: AtomTable, { assignment }: Answer, format: AssignmentFormat): unknown {
  if (assignment.length === 0) return null;
  const handles = assignment.map(([name, value]) => [name, table.atom(value).handle] as const);
  if (format === 'object') return Object.fromEntries(handles);
  return `[${handles.map(([name, handle]) => `('${name}', '${handle}')`).join(', ')}]`;
}

function linkDocument(table: AtomTable, id: AtomId, link: Link): Json {
  const hash = typeHash(link.type);
  return {
    handle: link.handle,
    composite_type_hash: compositeTypeHash(table, id),
    is_toplevel: link.toplevel,
    composite_type: compositeType(table, id),
    named_type: link.type,
    named_type_hash: hash,
    targets: link.targets.map((target) => table.atom(target).handle),
    type: link.type,
  };
}

function compositeType(table: AtomTable, id: AtomId): CompositeType {
  const atom = table.atom(id);
  const hash = typeHash(atom.type);
  return atom.kind === 'node' ? hash : [hash, ...atom.targets.map((target) => compositeType(table, target))];
}

function compositeTypeHash(table: AtomTable, id: AtomId): Handle {
  const atom = table.atom(id);
  const hash = typeHash(atom.type);
  if (atom.kind === 'node') return hash;
  return compositeHash(
    hash,
    atom.targets.map((target) => compositeTypeHash(table, target)),
  );
}
