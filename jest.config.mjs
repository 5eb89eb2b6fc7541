// Jest runs in CommonJS mode: swc turns our ESM TypeScript and the ESM-only packages into CommonJS.
// (ESM mode fails on Node 20 where a CommonJS package requires Nest.)
const transform = { legacyDecorator: true, decoratorMetadata: true };
const swc = (parser) => ({
  sourceMaps: 'inline',
  module: { type: 'commonjs' },
  jsc: { target: 'es2022', parser, keepClassNames: true, ...(parser.syntax === 'typescript' ? { transform } : {}) },
});
const root = import.meta.dirname;

/** Run for one project with `--rootDir <project>`, as every `nx test` does. */
export default {
  testEnvironment: 'node',
  cacheDirectory: `${root}/node_modules/.cache/jest`,
  // For what hangs, on a machine however busy; bounds are asserted on virtual time.
  testTimeout: 30_000,
  testMatch: ['<rootDir>/**/*.spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
  setupFiles: ['reflect-metadata'],
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^@das/([a-z-]+)$': `${root}/libs/$1/src/index.ts`,
    '^@das/([a-z-]+)/([a-z-]+)$': `${root}/libs/$1/src/$2.ts`,
  },
  transform: {
    '\\.ts$': ['@swc/jest', swc({ syntax: 'typescript', decorators: true })],
    '\\.m?js$': ['@swc/jest', swc({ syntax: 'ecmascript' })],
  },
  transformIgnorePatterns: ['node_modules/(?!(@nestjs)/)'],
  coverageProvider: 'babel',
  collectCoverageFrom: ['<rootDir>/src/**/core/**/*.ts', '!**/*.spec.ts', '!**/index.ts', '!**/*.scenario.ts'],
  coverageReporters: ['text-summary', 'json-summary'],
};
