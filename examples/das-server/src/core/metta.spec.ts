import { AtomTable } from './atom-table.js';
import { nodeHandle } from './handles.js';
import { loadMetta, MettaSyntaxError } from './metta.js';

function load(text: string): AtomTable {
  const table = new AtomTable();
  loadMetta(text, table);
  return table;
}

describe('loadMetta', () => {
  it('reads declarations, links, comments and escapes', () => {
    const table = load('(: Likes Type) ; a comment (with "things)\n(: "a \\"b\\"" Concept)\n(Likes "a \\"b\\"" "a;b")');
    expect([table.nodeCount, table.linkCount]).toEqual([2, 1]);
    expect(table.find(nodeHandle('Concept', 'a "b"'))).toBeDefined();
  });

  it('takes an undeclared name for a symbol', () => {
    expect(load('(Likes a "b")').find(nodeHandle('Symbol', 'b'))).toBeDefined();
  });

  it('adds what is stated twice once', () => {
    expect(load('(Likes "a" "b") (Likes "a" "b") (: "c" C) (: "c" C)').linkCount).toBe(1);
  });

  it('knows a nested link as such until it is stated for itself', () => {
    const table = load('(Odd (Likes "a" "b")) (Odd (Likes "b" "a")) (Likes "b" "a")');
    const toplevel = table.linksOfType('Likes').map((id) => table.link(id).toplevel);
    expect(toplevel).toEqual([false, true]);
  });

  it('lets declarations hold in later files', () => {
    const table = new AtomTable();
    const types = new Map<string, string>();
    loadMetta('(: "a" Concept)', table, types);
    loadMetta('(Likes "a" "a")', table, types);
    expect([table.nodeCount, table.linkCount]).toEqual([1, 1]);
  });

  it.each([
    ['\n(Likes "a"', 2, 'a "(" without its ")"'],
    ['(Likes "a" "b"))', 1, 'a ")" without its "("'],
    ['\n\nword', 3, '"word" stands outside of parentheses'],
    ['(Likes "a\nb', 1, 'a string without its closing quote'],
    ['("Likes" "a")', 1, 'a link is (Type target …), its type a plain word'],
    ['(Likes)', 1, 'a link is (Type target …), its type a plain word'],
    ['()', 1, 'a link is (Type target …), its type a plain word'],
    ['(: "a")', 1, 'a declaration is (: name Type)'],
    ['(: f (-> A B))', 1, 'a declaration is (: name Type)'],
    ['('.repeat(65), 1, 'more than 64 nested parentheses'],
  ])('refuses %j', (text, line, reason) => {
    expect(() => load(text)).toThrow(new MettaSyntaxError(line, reason));
  });
});
