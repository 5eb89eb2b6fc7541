/** A small assembler for WebAssembly text, flat form: so much of it as the modules of our tests need. */
export function assembled(text: string): Buffer {
  const [module] = parsed(text);
  const fields = listOf(module).slice(1).map(listOf);
  const imports = fields.filter(([kind]) => kind === 'import');
  const functions = fields.filter(([kind]) => kind === 'func');
  const named = [...imports.map((field) => listOf(field[3])), ...functions].map((field) => wordOf(field[1]));
  const types = [...imports.map((field) => signature(listOf(field[3]))), ...functions.map(signature)];
  const memory = listOf(fields.find(([kind]) => kind === 'memory'));
  const index = (i: number): number[] => leb(imports.length + i);
  return Buffer.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(
      2,
      imports.map(([, from, name], i) => [...str(from), ...str(name), 0x00, ...leb(i)]),
    ),
    ...section(
      3,
      functions.map((_, i) => index(i)),
    ),
    ...section(5, [[0x00, ...leb(Number(memory.at(-1)))]]),
    ...section(7, [
      [...str('memory'), 0x02, 0],
      ...functions.flatMap((field, i) => exportsOf(field).map((name) => [...str(name), 0x00, ...index(i)])),
    ]),
    ...section(
      10,
      functions.map((field) => sized(body(field, named))),
    ),
    ...section(
      11,
      fields
        .filter(([kind]) => kind === 'data')
        .map(([, at, bytes]) => [0, 0x41, ...sleb(Number(listOf(at)[1])), 0x0b, ...str(bytes)]),
    ),
  ]);
}

type Node = string | Text | Node[];
/** What stood in quotes. */
class Text {
  constructor(readonly bytes: Buffer) {}
}
const wordOf = (node: Node | undefined): string =>
  node instanceof Text ? node.bytes.toString() : typeof node === 'string' ? node : '';
const listOf = (node: Node | undefined): Node[] => (Array.isArray(node) ? node : []);

function parsed(text: string): Node[] {
  const tokens = text.replace(/;;.*$/gm, '').match(/"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+/g) ?? [];
  const stack: Node[][] = [[]];
  for (const token of tokens) {
    if (token === '(') stack.push([]);
    else if (token === ')') {
      const whole = stack.pop() ?? [];
      stack.at(-1)?.push(whole);
    } else stack.at(-1)?.push(token.startsWith('"') ? new Text(Buffer.from(JSON.parse(token) as string)) : token);
  }
  return stack[0] ?? [];
}

const leb = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)]);
function sleb(value: number): number[] {
  const [low, rest] = [value & 0x7f, value >> 7];
  const last = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40);
  return last ? [low] : [low | 0x80, ...sleb(rest)];
}
const sized = (bytes: readonly number[]): number[] => [...leb(bytes.length), ...bytes];
const str = (text: Node | undefined): number[] => sized([...Buffer.from(wordOf(text))]);
const section = (id: number, parts: ReadonlyArray<readonly number[]>): number[] => [
  id,
  ...sized([...leb(parts.length), ...parts.flat()]),
];

const i32 = 0x7f;
const count = (field: Node[], kind: string): number =>
  field
    .map(listOf)
    .reduce((sum, [head, ...rest]) => sum + (head === kind ? rest.filter((part) => part === 'i32').length : 0), 0);
const vector = (length: number): number[] => sized(Array<number>(length).fill(i32));
const signature = (field: Node[]): number[] => [
  0x60,
  ...vector(count(field, 'param')),
  ...vector(count(field, 'result')),
];
const exportsOf = (field: Node[]): string[] =>
  field
    .map(listOf)
    .flatMap(([head, name]) => (head === 'export' && name instanceof Text ? [name.bytes.toString()] : []));

const plain: Readonly<Record<string, readonly number[]>> = {
  ...{ unreachable: [0x00], else: [0x05], end: [0x0b], return: [0x0f], drop: [0x1a] },
  ...{ 'i32.load': [0x28, 2, 0], 'i32.load8_u': [0x2d, 0, 0], 'i32.store': [0x36, 2, 0], 'i32.store8': [0x3a, 0, 0] },
  ...{ 'i32.eqz': [0x45], 'i32.eq': [0x46], 'i32.ne': [0x47], 'i32.add': [0x6a], 'i32.sub': [0x6b] },
};
const opening: Readonly<Record<string, number>> = { block: 0x02, loop: 0x03, if: 0x04 };
const branches: Readonly<Record<string, number>> = { br: 0x0c, br_if: 0x0d };
const locals: Readonly<Record<string, number>> = { 'local.get': 0x20, 'local.set': 0x21, 'local.tee': 0x22 };

function body(field: Node[], functions: readonly string[]): number[] {
  const names = field
    .map(listOf)
    .flatMap(([head, name]) => (head === 'param' || head === 'local' ? [wordOf(name)] : []));
  const labels: string[] = [];
  const out: number[] = [];
  const words = field.slice(2).filter((word): word is string => typeof word === 'string');
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    const next = words[i + 1] ?? '';
    if (word in opening) {
      out.push(opening[word] ?? 0, 0x40);
      labels.push(next.startsWith('$') ? next : '');
      if (next.startsWith('$')) i += 1;
    } else if (word in plain) {
      if (word === 'end') labels.pop();
      out.push(...(plain[word] ?? []));
    } else {
      i += 1;
      if (word in branches) out.push(branches[word] ?? 0, ...leb(labels.length - 1 - labels.lastIndexOf(next)));
      else if (word in locals) out.push(locals[word] ?? 0, ...leb(names.indexOf(next)));
      else if (word === 'call') out.push(0x10, ...leb(functions.indexOf(next)));
      else if (word === 'i32.const') out.push(0x41, ...sleb(Number(next)));
      else throw new TypeError(`no instruction of this assembler: ${word}`);
    }
  }
  const declared = count(field, 'local');
  return [...(declared === 0 ? [0] : [1, ...leb(declared), i32]), ...out, 0x0b];
}
