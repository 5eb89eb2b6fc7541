/** Parses a script without running it: which of the known functions it exports, or where its syntax breaks. */
import { definedAmong } from './functions.mjs';
import { evaluated, isTypeScript, needTypeScript, withoutTypes } from './typescript.mjs';
import { inspectWasm } from './wasm.mjs';

const textChars = 300;
/** It may hold a name of the script, which may be as long as that. */
const messageChars = 1_000;
let acorn;

export async function inspectScript(channel, { language, filename, text }) {
  if (language === 'wasm') return inspectWasm(text);
  acorn ??= evaluated('acorn', await channel.fetch('acorn'));
  if (isTypeScript(filename)) await needTypeScript(channel);
  try {
    const code = isTypeScript(filename) ? withoutTypes(filename, text).code : text;
    const names = new Set();
    collect(parse(filename, code).body, names);
    return { functions: definedAmong(names) };
  } catch (thrown) {
    return { fault: faultOf(thrown, text) };
  }
}

/** As a module, and where that fails and the name allows, as CommonJS: the fault of the one that it looks like. */
function parse(filename, code) {
  const options = { ecmaVersion: 'latest', locations: true, allowHashBang: true };
  const asModule = () => acorn.parse(code, { ...options, sourceType: 'module' });
  const asScript = () =>
    acorn.parse(code, {
      ...options,
      sourceType: 'script',
      allowReturnOutsideFunction: true,
      allowNewTargetOutsideFunction: true,
    });
  if (/\.m[jt]s$/.test(filename)) return asModule();
  if (/\.c[jt]s$/.test(filename)) return asScript();
  try {
    return asModule();
  } catch (fault) {
    try {
      return asScript();
    } catch (other) {
      throw /'import' and 'export'|import\.meta/.test(other.message) ? fault : other;
    }
  }
}

function faultOf(thrown, text) {
  const place = thrown.place ?? (thrown.loc && { line: thrown.loc.line, column: thrown.loc.column + 1 });
  const { line, column } = place ?? { line: 1, column: 1 };
  const message =
    thrown instanceof RangeError ? 'nested too deeply' : String(thrown.message).replace(/ \(\d+:\d+\)$/, '');
  const shown = text.split('\n')[line - 1] ?? '';
  const kind = thrown instanceof SyntaxError ? 'SyntaxError: ' : '';
  return { line, column, text: shown.slice(0, textChars), message: `${kind}${message}`.slice(0, messageChars) };
}

/** What a module exports, and what CommonJS assigns, as far as it can be seen; also inside of if, try and blocks at the top level. */
function collect(statements, names) {
  const objects = new Map();
  for (const node of statements) {
    if (node.type === 'VariableDeclaration')
      for (const { id, init } of node.declarations) if (id.type === 'Identifier' && init) objects.set(id.name, init);
  }
  const seen = { names, objects };
  for (const node of statements) statement(node, seen);
}

function statement(node, seen) {
  switch (node?.type) {
    case 'ExportNamedDeclaration':
      for (const { exported } of node.specifiers) seen.names.add(exported.name ?? exported.value);
      return declared(node.declaration, seen.names);
    case 'ExportAllDeclaration':
      return void (node.exported && seen.names.add(node.exported.name ?? node.exported.value));
    case 'ExportDefaultDeclaration':
      return members(node.declaration, seen);
    case 'ExpressionStatement':
      return expression(node.expression, seen);
    case 'VariableDeclaration':
      return node.declarations.forEach(({ init }) => expression(init, seen));
    case 'BlockStatement':
      return node.body.forEach((inner) => statement(inner, seen));
    case 'IfStatement':
      statement(node.consequent, seen);
      return statement(node.alternate, seen);
    case 'TryStatement':
      return [node.block, node.handler?.body, node.finalizer].forEach((inner) => statement(inner, seen));
  }
}

function declared(node, names) {
  if (!node) return;
  if (node.type !== 'VariableDeclaration') return void names.add(node.id.name);
  for (const { id } of node.declarations) bound(id, names);
}

function bound(pattern, names) {
  if (pattern?.type === 'Identifier') names.add(pattern.name);
  for (const part of pattern?.properties ?? pattern?.elements ?? [])
    bound(part?.value ?? part?.argument ?? part, names);
  if (pattern?.type === 'AssignmentPattern') bound(pattern.left, names);
}

/** `module.exports = {…}`, `exports.map = …`, Object.assign and Object.defineProperty on them; also several of these in one. */
function expression(node, seen) {
  if (node?.type === 'SequenceExpression') return node.expressions.forEach((inner) => expression(inner, seen));
  if (node?.type === 'CallExpression') return called(node, seen);
  if (node?.type !== 'AssignmentExpression') return;
  if (isExports(node.left)) members(node.right, seen);
  else if (node.left.type === 'MemberExpression' && isExports(node.left.object)) {
    const name = nameOf(node.left.property, node.left.computed);
    if (name === 'default') members(node.right, seen);
    else seen.names.add(name);
  }
  expression(node.right, seen);
}

function called({ callee, arguments: given }, seen) {
  if (callee.type !== 'MemberExpression' || callee.object.name !== 'Object' || !isExports(given[0])) return;
  if (callee.property.name === 'assign') given.slice(1).forEach((part) => members(part, seen));
  if (callee.property.name === 'defineProperty' && given[1]?.type === 'Literal') seen.names.add(given[1].value);
}

const isExports = (node) =>
  node?.name === 'exports' ||
  (node?.type === 'MemberExpression' &&
    node.object.name === 'module' &&
    nameOf(node.property, node.computed) === 'exports');

const nameOf = (node, computed) => (computed ? node.value : (node.name ?? node.value));

/** The names in an object literal, or in the constant that has one. */
function members(node, seen, depth = 0) {
  if (node?.type === 'Identifier' && depth < 3) return members(seen.objects.get(node.name), seen, depth + 1);
  if (node?.type === 'AssignmentExpression') return members(node.right, seen, depth);
  if (node?.type === 'CallExpression' || node?.type === 'TSAsExpression')
    return node.arguments?.slice(0, 1).forEach((part) => members(part, seen, depth + 1));
  if (node?.type === 'ClassDeclaration' || node?.type === 'ClassExpression') return;
  for (const part of node?.properties ?? []) {
    if (part.type === 'SpreadElement') members(part.argument, seen, depth + 1);
    else seen.names.add(nameOf(part.key, part.computed));
  }
}
