// Proves that each kind of forbidden import or global fails lint, and that what is allowed passes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, it } from 'node:test';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { compositionRoot, projects } from './boundaries.mjs';

const root = new URL('..', import.meta.url).pathname;
const core = 'libs/jobs/src/core/example.ts';
let eslint;
before(() => {
  // The boundary rules need no types; without them a snippet may stand for a file that does not exist.
  const overrideConfig = tseslint.config({ files: ['**/*.ts'], extends: [tseslint.configs.disableTypeChecked] });
  eslint = new ESLint({ cwd: root, overrideConfig });
});

/** Ids of the rules that the text breaks when it stands at that place. */
async function broken(filePath, text) {
  const [result] = await eslint.lintText(`${text}\n`, { filePath: `${root}${filePath}` });
  assert.equal(result.fatalErrorCount, 0, JSON.stringify(result.messages));
  return result.messages.map((message) => message.ruleId).filter((rule) => !/no-unused|no-empty|prettier/.test(rule));
}

const importRule = '@typescript-eslint/no-restricted-imports';
const forbidden = [
  ['kernel imports contracts', 'libs/kernel/src/a.ts', "export { limits } from '@das/contracts';", importRule],
  ['kernel imports a package', 'libs/kernel/src/a.ts', "export { z } from 'zod';", importRule],
  ['kernel imports a built-in', 'libs/kernel/src/a.ts', "export { join } from 'node:path';", importRule],
  ['contracts imports another package', 'libs/contracts/src/a.ts', "export { of } from 'rxjs';", importRule],
  ['contracts imports a library above it', 'libs/contracts/src/a.ts', "export { x } from '@das/jobs';", importRule],
  ['a library imports a sibling', 'libs/jobs/src/a.ts', "export { x } from '@das/execution';", importRule],
  ['a library imports an app', 'libs/jobs/src/a.ts', "export { x } from '@das/app-executor';", importRule],
  [
    'a library reaches into a project by path',
    'libs/jobs/src/a.ts',
    "export { x } from '../../kernel/src/index.js';",
    importRule,
  ],
  ['an app imports an app', 'apps/executor/src/a.ts', "export { x } from '@das/app-election';", importRule],
  [
    'an app imports an app by path',
    'apps/executor/src/a.ts',
    "export { x } from '../../election/dist/index.js';",
    importRule,
  ],
  ['an app imports a library of others', 'apps/telemetry/src/a.ts', "export { x } from '@das/execution';", importRule],
  ['an app imports a package of others', 'apps/executor/src/a.ts', "export { x } from 'pg';", importRule],
  ['an app imports test fixtures', 'apps/executor/src/a.ts', "export { x } from '@das/testing';", importRule],
  ['a core imports a package', core, "export { z } from 'zod';", importRule],
  ['a core imports a package as a type', core, "export type { z } from 'zod';", importRule],
  ['a core imports a built-in', core, "export { join } from 'node:path';", importRule],
  ['a core imports a built-in without prefix', core, "export { join } from 'path';", importRule],
  ['a core imports platform', core, "export { x } from '@das/platform';", importRule],
  ['a core imports a schema', core, "export { jobSpecSchema } from '@das/contracts';", importRule],
  ['a core loads a module', core, "export const x = import('./y.js');", 'no-restricted-syntax'],
  [
    'a core waits',
    core,
    'export const x = async (): Promise<void> => { await Promise.resolve(); };',
    'no-restricted-syntax',
  ],
  ['a core uses the console', core, "console.log('x');", 'no-restricted-globals'],
  ['a core uses the process', core, 'export const x = process.pid;', 'no-restricted-globals'],
  [
    'an app loads an app',
    'apps/node/src/a.ts',
    "export const x = import('../../executor/dist/service.js');",
    'no-restricted-syntax',
  ],
  [
    'a computed module name',
    'apps/node/src/a.ts',
    'export const x = (m: string): unknown => import(m);',
    'no-restricted-syntax',
  ],
  ['randomness by import', 'apps/executor/src/a.ts', "export { randomUUID } from 'node:crypto';", importRule],
  ['timers by import', 'apps/executor/src/a.ts', "export { setTimeout } from 'node:timers/promises';", importRule],
  ['the environment', 'apps/executor/src/a.ts', 'export const x = process.env;', 'no-restricted-properties'],
  ['the environment by import', 'apps/executor/src/a.ts', "export { env } from 'node:process';", importRule],
  ['Math.random', 'libs/execution/src/a.ts', 'export const x = Math.random();', 'no-restricted-properties'],
  ['globalThis.Date', 'libs/execution/src/a.ts', 'export const x = globalThis.Date;', 'no-restricted-properties'],
  ...['Date', 'setTimeout', 'setInterval', 'performance', 'crypto'].flatMap((name) => [
    [`${name} in a core`, core, `export const x: unknown = ${name};`, 'no-restricted-globals'],
    [`${name} in an app`, 'apps/executor/src/a.ts', `export const x: unknown = ${name};`, 'no-restricted-globals'],
  ]),
];

const allowed = [
  ['kernel imports itself', 'libs/kernel/src/a.ts', "export type { Clock } from './time.js';"],
  [
    'contracts imports zod and kernel',
    'libs/contracts/src/a.ts',
    "export { z } from 'zod';\nexport { DasError } from '@das/kernel';",
  ],
  ['a core imports types of contracts', core, "export type { JobSpec } from '@das/contracts';"],
  [
    'a core imports constants of contracts',
    core,
    "import { limits, jobTransitions } from '@das/contracts';\nexport const x = [limits, jobTransitions];",
  ],
  ['a core imports values of kernel', core, "export { move } from '@das/kernel';"],
  ['a digest', 'apps/executor/src/a.ts', "export { createHash } from 'node:crypto';"],
  ['platform tells the time', 'libs/platform/src/a.ts', 'export const x = [Date.now(), process.env];'],
  ['the composition root loads the apps', compositionRoot, 'export const x = (m: string): unknown => import(m);'],
  [
    'a test uses fixtures and time',
    'libs/jobs/src/core/a.spec.ts',
    "import fc from 'fast-check';\nimport { x } from '@das/testing';\nexport const y = [fc, x, Date.now()];",
  ],
];

describe('boundaries', () => {
  for (const [what, file, text, rule] of forbidden) {
    it(`forbids: ${what}`, async () => assert.ok((await broken(file, text)).includes(rule), 'lint accepted it'));
  }
  for (const [what, file, text] of allowed) {
    it(`allows: ${what}`, async () => assert.deepEqual(await broken(file, text), []));
  }

  for (const [project, { das }] of Object.entries(projects)) {
    it(`${project}/package.json depends on what the table says`, () => {
      const { dependencies = {} } = JSON.parse(readFileSync(`${root}${project}/package.json`, 'utf8'));
      const declared = Object.keys(dependencies).filter((name) => name.startsWith('@das/'));
      assert.deepEqual(declared.sort(), das.map((name) => `@das/${name}`).sort());
    });
  }
});

it('keeps the type-aware rules on for every project', async () => {
  const wanted = [
    'no-floating-promises',
    'consistent-type-imports',
    'switch-exhaustiveness-check',
    'no-misused-promises',
  ];
  const plain = new ESLint({ cwd: root });
  for (const project of Object.keys(projects)) {
    const { rules } = await plain.calculateConfigForFile(`${root}${project}/src/index.ts`);
    for (const rule of wanted) assert.equal(rules[`@typescript-eslint/${rule}`]?.[0], 2, `${rule} in ${project}`);
  }
});
