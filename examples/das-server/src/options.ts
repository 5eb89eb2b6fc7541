import { parseArgs } from 'node:util';
import { z } from 'zod';
import { similaritiesMax } from './core/generate.js';

export const usage = `das-server - a small remote DAS query server, in memory

  --metta FILE     load a MeTTa file; may be given several times (default: the animals, if nothing is generated)
  --generate N     make a synthetic knowledge base with N Similarity links, 1 to ${similaritiesMax}
  --seed N         seed of what is generated, and of which requests fail (default 1)
  --latency MS     wait before every answer, 0 to 60000 (default 0)
  --fail-rate P    share of requests that fail, 0 to 1 (default 0)
  --host ADDRESS   listen there (default 127.0.0.1)
  --port N         listen there; 0 takes any free port (default 8081)
  --help           this text
`;

const schema = z.object({
  metta: z.array(z.string()).default([]),
  generate: z.coerce.number().int().min(1).max(similaritiesMax).optional(),
  seed: z.coerce.number().int().default(1),
  latency: z.coerce.number().min(0).max(60_000).default(0),
  'fail-rate': z.coerce.number().min(0).max(1).default(0),
  host: z.string().min(1).default('127.0.0.1'),
  port: z.coerce.number().int().min(0).max(65_535).default(8081),
  help: z.boolean().default(false),
});

export type Options = z.output<typeof schema>;

/** The command line is wrong. State: nothing was started. `message` says what to change. */
export class UsageError extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'UsageError';
  }
}

/** @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const result = schema.safeParse(readArgs(args));
  if (result.success) return result.data;
  throw new UsageError(result.error.issues.map((issue) => `--${issue.path.join('.')}: ${issue.message}`).join('\n'));
}

function readArgs(args: readonly string[]): Record<string, unknown> {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        metta: { type: 'string', multiple: true },
        generate: text,
        seed: text,
        latency: text,
        'fail-rate': text,
        host: text,
        port: text,
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
