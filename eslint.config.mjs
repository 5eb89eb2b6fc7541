import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';
import { boundaryConfigs, tests } from './tools/boundaries.mjs';

const root = import.meta.dirname;
const rules = {
  eqeqeq: 'error',
  'no-console': 'error',
  'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/consistent-type-exports': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
  '@typescript-eslint/only-throw-error': 'error',
  '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
  ],
  '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
  // `async` without `await` turns a synchronous throw into a rejection, which the ports promise.
  '@typescript-eslint/require-await': 'off',
  // A Nest module is a class that only its decorator fills.
  '@typescript-eslint/no-extraneous-class': 'off',
};

/** Jest's matchers and mocks are typed `any`; whole suites are one function. */
const specRules = {
  'max-lines': 'off',
  'max-lines-per-function': 'off',
  '@typescript-eslint/no-unsafe-assignment': 'off',
  '@typescript-eslint/no-unsafe-member-access': 'off',
  '@typescript-eslint/no-unsafe-argument': 'off',
  '@typescript-eslint/no-unsafe-call': 'off',
  '@typescript-eslint/no-unsafe-return': 'off',
  '@typescript-eslint/unbound-method': 'off',
};

export default tseslint.config(
  { ignores: ['**/dist/**', '**/out-spec/**', '**/node_modules/**', '**/coverage/**', '.das/**', '.nx/**'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    // One program for all: a program per project costs three times as much.
    languageOptions: { parserOptions: { project: 'tools/tsconfig.lint.json', tsconfigRootDir: root } },
    rules,
  },
  ...boundaryConfigs(),
  {
    files: [...tests.map((name) => `**/${name}`), 'libs/testing/**/*.ts', 'e2e/**/*.ts', 'bench/**/*.ts'],
    rules: specRules,
  },
  // Scripts around the product: plain JavaScript, which talks to a terminal.
  {
    files: ['**/*.mjs', '**/*.js'],
    extends: [tseslint.configs.recommended, tseslint.configs.disableTypeChecked],
    rules: { eqeqeq: 'error' },
  },
  prettier,
);
