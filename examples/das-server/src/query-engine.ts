import type { z } from 'zod';
import { answers } from './core/answers.js';
import type { AtomId, AtomTable } from './core/atom-table.js';
import { AtomNotFoundError, QueryTooLargeError } from './core/errors.js';
import { linkHandle, nodeHandle, type Handle } from './core/handles.js';
import { filterLinks } from './core/links.js';
import { Pager } from './core/paging.js';
import { answerDocument, atomDocument, linkWithTargets } from './core/render.js';
import { inputs, type Input } from './wire/actions.schema.js';
import { validate, type Envelope } from './wire/envelope.js';

/** A list that may be long; it is turned into text while it is sent. */
export class LongList {
  constructor(readonly items: Iterable<unknown>) {}
}

/** An action this server does not know. State: nothing was done. Ask for one of those named. */
export class UnknownActionError extends Error {
  constructor(action: string, known: readonly string[]) {
    super(`unknown action ${JSON.stringify(action)}; known are ${known.join(', ')}`);
    this.name = 'UnknownActionError';
  }
}

/** Items in an answer that is not paged. */
const itemsMax = 1_000_000;

interface Paging {
  readonly cursor?: number | undefined;
  readonly chunk_size: number;
}

/** The actions of the query API over one table of atoms; a reply is JSON, or a `LongList`. */
export class QueryEngine {
  readonly #pager = new Pager();
  readonly #actions = new Map([
    ['ping', action(inputs.nothing, () => ({ message: 'pong' }))],
    ['count_atoms', action(inputs.nothing, () => [this.table.nodeCount, this.table.linkCount])],
    ['get_atom', action(inputs.getAtom, ({ handle }) => this.#atom(handle, `atom ${handle}`))],
    ['get_node', action(inputs.getNode, (wanted) => this.#node(wanted))],
    ['get_link', action(inputs.getLink, (wanted) => this.#link(wanted))],
    ['get_links', action(inputs.getLinks, (wanted) => this.#links(wanted))],
    ['get_incoming_links', action(inputs.getIncomingLinks, (wanted) => this.#incoming(wanted))],
    ['query', action(inputs.query, (wanted) => this.#query(wanted))],
  ]);

  constructor(private readonly table: AtomTable) {}

  /**
   * Performs one action.
   *
   * @throws UnknownActionError, MalformedRequestError, AtomNotFoundError, QueryTooLargeError
   */
  execute({ action, input }: Envelope): unknown {
    const perform = this.#actions.get(action);
    if (perform === undefined) throw new UnknownActionError(action, [...this.#actions.keys()]);
    return perform(input);
  }

  #atom(handle: Handle, what: string): unknown {
    return atomDocument(this.table, this.#find(handle, what));
  }

  #node({ node_type, node_name }: Input<'getNode'>): unknown {
    return this.#atom(nodeHandle(node_type, node_name), `node of type ${node_type} named ${JSON.stringify(node_name)}`);
  }

  #link({ link_type, link_targets }: Input<'getLink'>): unknown {
    const handle = linkHandle(link_type, link_targets);
    return this.#atom(handle, `link of type ${link_type} with the targets ${link_targets.join(', ')}`);
  }

  #links({ link_type, target_types, link_targets, kwargs }: Input<'getLinks'>): unknown {
    const filter = {
      type: link_type,
      targetTypes: target_types,
      targets: link_targets,
      toplevelOnly: kwargs.toplevel_only,
    };
    return this.#list(
      ['get_links', filter],
      kwargs,
      () => filterLinks(this.table, filter),
      (id) => atomDocument(this.table, id),
    );
  }

  #incoming({ atom_handle, kwargs }: Input<'getIncomingLinks'>): unknown {
    const links = this.table.incoming(this.#find(atom_handle, `atom ${atom_handle}`));
    const render = (id: AtomId): unknown => {
      if (kwargs.handles_only === true) return this.table.atom(id).handle;
      return kwargs.targets_document === true ? linkWithTargets(this.table, id) : atomDocument(this.table, id);
    };
    return this.#list(['get_incoming_links', atom_handle], kwargs, () => links.values(), render);
  }

  #query({ query, parameters }: Input<'query'>): unknown {
    const { cursor, chunk_size, format, ...rest } = parameters;
    const options = {
      toplevelOnly: rest.toplevel_only,
      uniqueAssignment: rest.unique_assignment,
      uniqueValue: rest.unique_value,
    };
    return this.#list(
      ['query', query, options],
      { cursor, chunk_size },
      () => answers(this.table, query, options),
      (answer) => answerDocument(this.table, answer, format),
    );
  }

  /** A page if the request has a cursor, else everything. */
  #list<T>(key: unknown, paging: Paging, list: () => IterableIterator<T>, render: (item: T) => unknown): unknown {
    if (paging.cursor === undefined) return new LongList(rendered(collect(list()), render));
    const [next, items] = this.#pager.page(JSON.stringify(key), paging.cursor, paging.chunk_size, list);
    return [next, items.map(render)];
  }

  #find(handle: Handle, what: string): AtomId {
    const id = this.table.find(handle);
    if (id === undefined) throw new AtomNotFoundError(what);
    return id;
  }
}

/** An action takes input of any shape and refuses what its schema does not know. */
function action<T>(schema: z.ZodType<T>, perform: (input: T) => unknown): (input: unknown) => unknown {
  return (input) => perform(validate(schema, input, 'input'));
}

/** Finds everything before the first byte is sent, so that what goes wrong can still be said. */
function collect<T>(list: Iterable<T>): T[] {
  const items: T[] = [];
  for (const item of list) {
    if (items.push(item) > itemsMax)
      throw new QueryTooLargeError(`more than ${itemsMax} items; ask page by page (cursor)`);
  }
  return items;
}

function* rendered<T>(items: readonly T[], render: (item: T) => unknown): Generator<unknown, void> {
  for (const item of items) yield render(item);
}
