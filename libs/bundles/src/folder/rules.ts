import ignore, { type Ignore } from 'ignore';

/** The file of a folder that says what is left out, by the rules of .gitignore. */
export const ignoreFile = '.dasignore';

/** Left out unless {@link ignoreFile} takes it back in (`!name`): what is made anew from the rest, or belongs to one machine. */
export const defaultRules = [
  ...['.git', '.hg', '.svn', '.das', '.venv', 'venv', 'node_modules'],
  ...['__pycache__', '*.pyc', '*.pyo', '.mypy_cache', '.pytest_cache', '.ruff_cache', '.tox', '*.egg-info'],
  ...['.idea', '.vscode', '.DS_Store', '.env', ignoreFile],
] as const;

/** The rules of a folder; `text`: of its {@link ignoreFile}. */
export const rulesOf = (text: string | undefined): Ignore =>
  ignore()
    .add([...defaultRules])
    .add(text ?? '');
