import type { AtomId, AtomTable } from './atom-table.js';

/** A MeTTa text is not what this server reads. State: expressions before the line are in the table. Correct the text. */
export class MettaSyntaxError extends Error {
  constructor(
    readonly line: number,
    reason: string,
  ) {
    super(`MeTTa, line ${line}: ${reason}`);
    this.name = 'MettaSyntaxError';
  }
}

interface Word {
  readonly text: string;
  readonly quoted: boolean;
  readonly line: number;
}
interface Expression {
  readonly items: readonly Tree[];
  readonly line: number;
}
type Tree = Word | Expression;

/** Nested parentheses beyond this are a mistake, or an attempt to exhaust the stack. */
const depthMax = 64;
/** The type of a node that no `(: "name" Type)` declares. */
const undeclaredType = 'Symbol';
const token = /\s+|;[^\n]*|[()]|"(?:[^"\\]|\\.)*"|[^\s()";]+/gsy;

/** The types of the nodes declared so far, by name; kept from file to file. */
export type Declarations = Map<string, string>;

/**
 * Reads `(: "human" Concept)` as a node, `(Similarity "human" "monkey")` as a link (links may be nested) and
 * `(: Similarity Type)` as a mere declaration; `;` starts a comment.
 *
 * @throws MettaSyntaxError
 */
export function loadMetta(text: string, table: AtomTable, types: Declarations = new Map()): void {
  for (const expression of parse(text)) {
    if (!isDeclaration(expression)) addLink(expression, table, types, true);
    else declare(expression, table, types);
  }
}

function declare(expression: Expression, table: AtomTable, types: Declarations): void {
  const [, name, type] = expression.items;
  if (expression.items.length !== 3 || !isWord(name) || !isWord(type)) {
    throw new MettaSyntaxError(expression.line, 'a declaration is (: name Type)');
  }
  if (type.text === 'Type') return;
  types.set(name.text, type.text);
  table.addNode(type.text, name.text);
}

function addLink(expression: Expression, table: AtomTable, types: Declarations, toplevel: boolean): AtomId {
  const [head, ...targets] = expression.items;
  if (!isWord(head) || head.quoted || targets.length === 0) {
    throw new MettaSyntaxError(expression.line, 'a link is (Type target …), its type a plain word');
  }
  const ids = targets.map((target) =>
    isWord(target)
      ? table.addNode(types.get(target.text) ?? undeclaredType, target.text)
      : addLink(target, table, types, false),
  );
  return table.addLink(head.text, ids, toplevel);
}

function* parse(text: string): Generator<Expression> {
  const open: { items: Tree[]; line: number }[] = [];
  for (const word of words(text)) {
    if (word.quoted || (word.text !== '(' && word.text !== ')')) {
      if (open.length === 0) throw new MettaSyntaxError(word.line, `"${word.text}" stands outside of parentheses`);
      open.at(-1)?.items.push(word);
    } else if (word.text === '(') {
      if (open.length === depthMax) throw new MettaSyntaxError(word.line, `more than ${depthMax} nested parentheses`);
      open.push({ items: [], line: word.line });
    } else {
      const closed = open.pop();
      if (closed === undefined) throw new MettaSyntaxError(word.line, 'a ")" without its "("');
      if (open.length > 0) open.at(-1)?.items.push(closed);
      else yield closed;
    }
  }
  const [unclosed] = open;
  if (unclosed !== undefined) throw new MettaSyntaxError(unclosed.line, 'a "(" without its ")"');
}

function* words(text: string): Generator<Word> {
  let line = 1;
  let end = 0;
  for (const [match] of text.matchAll(token)) {
    const quoted = match.startsWith('"');
    if (quoted) yield { text: match.slice(1, -1).replace(/\\(.)/gs, '$1'), quoted, line };
    else if (!/^[\s;]/.test(match)) yield { text: match, quoted, line };
    line += match.split('\n').length - 1;
    end += match.length;
  }
  if (end < text.length) throw new MettaSyntaxError(line, 'a string without its closing quote');
}

function isDeclaration(expression: Expression): boolean {
  const [head] = expression.items;
  return isWord(head) && head.text === ':' && !head.quoted;
}

function isWord(tree: Tree | undefined): tree is Word {
  return tree !== undefined && 'text' in tree;
}
