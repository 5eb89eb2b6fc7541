/** Takes the types out of TypeScript, here in the worker: what comes from users is parsed nowhere else. */
import { compileFunction } from 'node:vm';

/** Fetched once, when the first TypeScript comes. */
let compiler;

export const isTypeScript = (filename) => /\.[cm]?ts$/.test(filename);

/** Must have been awaited before {@link withoutTypes} is called. */
export async function needTypeScript(channel) {
  compiler ??= evaluated('typescript', await channel.fetch('typescript'));
}

/** A library in CommonJS, from its text. */
export function evaluated(name, text) {
  const module = { exports: {} };
  const names = ['exports', 'module', 'require', '__dirname'];
  const require = (specifier) => process.getBuiltinModule?.(specifier) ?? builtins[specifier.replace(/^node:/, '')];
  compileFunction(text, names, { filename: `das:${name}` })(module.exports, module, require, '/');
  return module.exports;
}
import util from 'node:util';
const builtins = { util };

/**
 * {code, map}. Types become blanks, so that lines and columns stay; what types cannot be taken out of (enums, namespaces, parameter
 * properties) is rewritten as a whole, and a map leads back. @throws SyntaxError with `place`.
 */
export function withoutTypes(filename, text) {
  try {
    return { code: compiler.transformSync(text, { mode: 'strip-only', filename }).code };
  } catch (fault) {
    if (fault?.code !== 'UnsupportedSyntax') throw syntaxError(fault);
  }
  try {
    return compiler.transformSync(text, { mode: 'transform', filename, sourceMap: true });
  } catch (fault) {
    throw syntaxError(fault);
  }
}

function syntaxError(fault) {
  const error = new SyntaxError(String(fault?.message ?? fault));
  error.place = { line: fault?.startLine ?? 1, column: (fault?.startColumn ?? 0) + 1 };
  return error;
}
