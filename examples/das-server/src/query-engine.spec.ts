import { AtomNotFoundError } from './core/errors.js';
import { nodeHandle } from './core/handles.js';
import type { Term } from './core/query.js';
import { LongList, QueryEngine, UnknownActionError } from './query-engine.js';
import { animals, concept, link } from './testing/animals.js';
import { MalformedRequestError, parseEnvelope } from './wire/envelope.js';

const engine = new QueryEngine(animals());
const human = 'af12f10f9ae2002a1607ba0b47ba8407';
const monkey = '1cdffc6b0b89ff41d68bec237481d1e1';

/** What the wire would carry: lists are written out, and everything passes through JSON. */
function ask(action: string, input: Record<string, unknown> = {}): unknown {
  const reply = engine.execute(parseEnvelope(JSON.stringify({ action, input })));
  return JSON.parse(JSON.stringify(reply instanceof LongList ? [...reply.items] : reply));
}

const humanDocument = {
  handle: human,
  composite_type_hash: 'd99a604c79ce3c2e76a2f43488d5d4c3',
  name: 'human',
  named_type: 'Concept',
  type: 'Concept',
};
const humanMonkey = {
  handle: 'bad7472f41a0e7d601ca294eb4607c3a',
  composite_type_hash: 'ed73ea081d170e1d89fc950820ce1cee',
  is_toplevel: true,
  composite_type: [
    'a9dea78180588431ec64d6bc4872fdbc',
    'd99a604c79ce3c2e76a2f43488d5d4c3',
    'd99a604c79ce3c2e76a2f43488d5d4c3',
  ],
  named_type: 'Similarity',
  named_type_hash: 'a9dea78180588431ec64d6bc4872fdbc',
  targets: [human, monkey],
  type: 'Similarity',
};

describe('atoms', () => {
  it('answers ping and count_atoms', () => {
    expect(ask('ping')).toEqual({ message: 'pong' });
    expect(ask('count_atoms')).toEqual([14, 26]);
  });

  it('finds a node by handle and by name', () => {
    expect(ask('get_atom', { handle: human })).toEqual(humanDocument);
    expect(ask('get_node', { node_type: 'Concept', node_name: 'human' })).toEqual(humanDocument);
  });

  it('finds a link by handle and by targets', () => {
    expect(ask('get_atom', { handle: humanMonkey.handle })).toEqual(humanMonkey);
    expect(ask('get_link', { link_type: 'Similarity', link_targets: [human, monkey] })).toEqual(humanMonkey);
  });

  it('says what it does not have', () => {
    const missing = () => ask('get_node', { node_type: 'Concept', node_name: 'unicorn' });
    expect(missing).toThrow(new AtomNotFoundError('node of type Concept named "unicorn"'));
    expect(() => ask('get_atom', { handle: '0'.repeat(32) })).toThrow(AtomNotFoundError);
    expect(() => ask('get_link', { link_type: 'Inheritance', link_targets: [human, monkey] })).toThrow(
      AtomNotFoundError,
    );
    expect(() => ask('get_incoming_links', { atom_handle: '0'.repeat(32) })).toThrow(AtomNotFoundError);
  });
});

describe('get_links', () => {
  const ent = '4e8e26e3276af8a5c2ac2cc2dc95c6d2';
  const plant = '80aff30094874e75028033a38ce677bb';

  it.each([
    [{ link_type: 'Inheritance' }, 12],
    [{ link_type: '*' }, 26],
    [{ link_type: 'Similarity', target_types: ['Concept', 'Concept'] }, 14],
    [{ link_type: 'Similarity', target_types: ['Concept', '*'] }, 14],
    [{ link_type: 'Similarity', target_types: ['Concept'] }, 0],
    [{ link_type: 'Similarity', target_types: ['Concept', 'Symbol'] }, 0],
    [{ link_type: 'Inheritance', link_targets: ['*', plant] }, 2],
    [{ link_type: '*', link_targets: [ent, '*'] }, 2],
    [{ link_type: 'Inheritance', link_targets: ['*', '0'.repeat(32)] }, 0],
    [{ link_type: 'Unknown' }, 0],
    [{ link_type: '*', kwargs: { toplevel_only: true } }, 26],
    [{ link_type: 'Similarity', target_types: null, link_targets: null }, 14],
  ])('%j', (input, count) => {
    expect(ask('get_links', input)).toHaveLength(count);
  });

  it('finds the one link between two atoms', () => {
    expect(ask('get_links', { link_type: 'Inheritance', link_targets: [ent, plant] })).toMatchObject([
      { handle: 'ee1c03e6d1f104ccd811cfbba018451a', type: 'Inheritance', targets: [ent, plant] },
    ]);
  });

  it('pages', () => {
    const [next, first] = ask('get_links', { link_type: '*', kwargs: { cursor: 0, chunk_size: 20 } }) as [
      number,
      unknown[],
    ];
    const [end, rest] = ask('get_links', { link_type: '*', kwargs: { cursor: next, chunk_size: 20 } }) as [
      number,
      unknown[],
    ];
    expect([next, end, first.length, rest.length]).toEqual([20, 0, 20, 6]);
    expect([...first, ...rest]).toEqual(ask('get_links', { link_type: '*' }));
  });
});

describe('get_incoming_links', () => {
  it.each([
    ...[['human', 7] as const],
    ...['monkey', 'chimp', 'snake', 'mammal'].map((name) => [name, 5] as const),
    ...['earthworm', 'rhino', 'triceratops', 'vine', 'ent', 'animal', 'reptile'].map((name) => [name, 3] as const),
    ...['dinosaur', 'plant'].map((name) => [name, 2] as const),
  ])('g8: %s has %i', (name, count) => {
    expect(ask('get_incoming_links', { atom_handle: nodeHandle('Concept', name) })).toHaveLength(count);
  });

  it('gives documents, documents with their targets, or handles', () => {
    const [plain] = ask('get_incoming_links', { atom_handle: human }) as unknown[];
    expect(plain).toEqual(humanMonkey);
    const [full] = ask('get_incoming_links', { atom_handle: human, kwargs: { targets_document: true } }) as unknown[];
    expect(full).toEqual([humanMonkey, [humanDocument, expect.objectContaining({ name: 'monkey' })]]);
    const [handle] = ask('get_incoming_links', { atom_handle: human, kwargs: { handles_only: true } }) as unknown[];
    expect(handle).toBe(humanMonkey.handle);
  });

  it('pages', () => {
    const kwargs = { handles_only: true, cursor: 5, chunk_size: 5 };
    expect(ask('get_incoming_links', { atom_handle: human, kwargs })).toMatchObject([
      0,
      [{}, {}].map(() => expect.any(String)),
    ]);
  });
});

describe('query', () => {
  const plants = link('Inheritance', '$v1', 'plant');
  const short = (name: string) => ({ handle: nodeHandle('Concept', name), type: 'Concept', name });
  const vinePlant = {
    handle: 'e4685d56969398253b6f77efd21dc347',
    type: 'Inheritance',
    targets: [short('vine'), short('plant')],
  };

  it('answers with assignments as text, as ever', () => {
    expect(ask('query', { query: plants, parameters: { no_iterator: true } })).toEqual([
      ["[('v1', 'b94941d8cd1c0ee4ad3dd3dcab52b964')]", vinePlant],
      [
        "[('v1', '4e8e26e3276af8a5c2ac2cc2dc95c6d2')]",
        {
          handle: 'ee1c03e6d1f104ccd811cfbba018451a',
          type: 'Inheritance',
          targets: [short('ent'), short('plant')],
        },
      ],
    ]);
  });

  it('answers with assignments as objects', () => {
    const [first] = ask('query', { query: plants, parameters: { format: 'object' } }) as unknown[];
    expect(first).toEqual([{ v1: nodeHandle('Concept', 'vine') }, vinePlant]);
  });

  it('has no assignment without variables', () => {
    const { handle, type } = humanMonkey;
    expect(ask('query', { query: link('Similarity', 'human', 'monkey') })).toEqual([
      [null, { handle, type, targets: [short('human'), short('monkey')] }],
    ]);
  });

  it('answers a conjunction with a list of links, even of one', () => {
    const query = [link('Similarity', '$v1', '$v2'), link('Inheritance', '$v2', 'dinosaur')];
    expect(ask('query', { query })).toEqual([
      [
        `[('v1', '${nodeHandle('Concept', 'rhino')}'), ('v2', '${nodeHandle('Concept', 'triceratops')}')]`,
        [expect.objectContaining({ type: 'Similarity' }), expect.objectContaining({ type: 'Inheritance' })],
      ],
    ]);
    expect(ask('query', { query: [plants] })).toMatchObject([
      [expect.any(String), [vinePlant]],
      [expect.any(String), [{}]],
    ]);
  });

  it('pages', () => {
    const query = link('Similarity', '$v1', '$v2');
    const all = ask('query', { query }) as unknown[];
    const pages: unknown[] = [];
    let cursor = 0;
    do {
      const [next, page] = ask('query', { query, parameters: { cursor, chunk_size: 4 } }) as [number, unknown[]];
      pages.push(...page);
      cursor = next;
    } while (cursor !== 0);
    expect(pages).toEqual(all);
  });
});

describe('malformed requests', () => {
  const variable: Term = { atom_type: 'variable', name: "v'1" };
  const deep = JSON.parse('['.repeat(70) + ']'.repeat(70)) as unknown;
  const not = { atom_type: 'not', targets: [link('Similarity', '$v1', 'human')] };

  it.each<[string, Record<string, unknown>, string]>([
    ['ping', { extra: 1 }, 'input: Unrecognized key: "extra"'],
    ['get_atom', {}, 'input.handle: '],
    ['get_atom', { handle: null }, 'input.handle: '],
    ['get_atom', { handle: 'AF12' }, 'input.handle: expected a handle: 32 hexadecimal digits'],
    [
      'get_links',
      { link_type: 'A', link_targets: ['x'] },
      'input.link_targets[0]: expected a handle (32 hexadecimal digits), or "*"',
    ],
    ['get_links', { link_type: 'A', kwargs: { cursor: -1 } }, 'input.kwargs.cursor: '],
    ['get_links', { link_type: 'A', kwargs: { cursor: 0, chunk_size: 1e6 } }, 'input.kwargs.chunk_size: '],
    ['query', {}, 'input.query: '],
    ['query', { query: [] }, 'input.query: '],
    ['query', { query: 'all' }, 'input.query: '],
    ['query', { query: concept('human'), parameters: { format: 'pickle' } }, 'input.parameters.format: '],
    ['query', { query: variable }, 'input.query.atom_type: '],
    ['query', { query: link('Similarity', variable) }, 'input.query.targets[0].name: expected a name such as "v1"'],
    ['query', { query: { ...concept('human'), handle: '' } }, 'input.query: Unrecognized key: "handle"'],
    ['query', { query: { atom_type: 'link', type: 'A', targets: [] } }, 'input.query.targets: '],
    ['query', { query: not }, 'input.query.atom_type: '],
    ['query', { query: [not] }, 'input.query: a "not" filters the answers of other patterns'],
    ['query', { query: { atom_type: 'or', targets: [not] } }, 'input.query.targets[0].atom_type: '],
    ['query', { query: deep }, 'nested more than 64 deep'],
  ])('%s %j', (action, input, reason) => {
    expect(() => ask(action, input)).toThrow(MalformedRequestError);
    expect(() => ask(action, input)).toThrow(reason);
  });

  it.each([
    ['', 'the body is empty'],
    ['{', 'the body is not JSON'],
    ['[]', 'body: '],
    ['{"action":"ping"}', 'input: '],
    ['{"action":1,"input":{}}', 'action: '],
    ['{"action":"ping","input":{},"more":1}', 'body: Unrecognized key: "more"'],
  ])('envelope %j', (body, reason) => {
    expect(() => parseEnvelope(body)).toThrow(MalformedRequestError);
    expect(() => parseEnvelope(body)).toThrow(reason);
  });

  it('names the actions it knows', () => {
    expect(() => ask('fetch')).toThrow(UnknownActionError);
    expect(() => ask('constructor')).toThrow('known are ping, count_atoms, get_atom');
  });
});
