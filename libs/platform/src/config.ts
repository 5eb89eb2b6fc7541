import { DasError } from '@das/kernel';
import type { z } from 'zod';

export type Env = Readonly<Record<string, string | undefined>>;

/** One setting that does not fit. */
export interface ConfigFault {
  readonly variable: string;
  readonly message: string;
}

/** Settings that do not fit, all of them. State: nothing was started. Correct the environment and start again. */
export class ConfigError extends DasError {
  readonly code = 'CONFIG_INVALID';
  readonly retryable = false;
  constructor(readonly faults: readonly ConfigFault[]) {
    super(faults.map(({ variable, message }) => `${variable}: ${message}`).join('\n'), {
      hint: 'docs/configuration.md lists every setting',
    });
  }
}

/**
 * Reads settings from the environment, names in capitals as the schema has them; an empty value counts as absent.
 * @throws ConfigError listing every fault of the schema. The result is frozen.
 */
export function loadConfig<Schema extends z.ZodType>(schema: Schema, env: Env): Readonly<z.output<Schema>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const read = schema.safeParse(given);
  if (read.success) return Object.freeze(read.data);
  throw new ConfigError(
    read.error.issues.map((issue) => ({
      variable: issue.path.map(String).join('.') || 'settings',
      message: `${issue.message}${shown(given[String(issue.path[0])], String(issue.path[0]))}`,
    })),
  );
}

/** The value as given, unless its name says that it is a secret. */
function shown(value: string | undefined, name: string): string {
  if (value === undefined) return '';
  return /TOKEN$|PASSWORD|SECRET|URL$/.test(name) ? ' (as given)' : ` (given: ${JSON.stringify(value.slice(0, 80))})`;
}
