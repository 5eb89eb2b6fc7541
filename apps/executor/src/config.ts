import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { limits, sandboxSchema } from '@das/contracts';
import type { PlaceLimits } from '@das/execution';
import { z } from 'zod';

const mib = 1024 * 1024;

const foldersMax = 64;
const folders = (meaning: string) =>
  z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((path) => path !== ''))
    .refine((paths) => paths.length <= foldersMax && paths.every((path) => path.startsWith('/') && path !== '/'), {
      message: `must be at most ${foldersMax} absolute paths, none of them /`,
    })
    .describe(meaning);

/** Settings of the executor. */
export const executorConfig = z.object({
  DAS_SLOTS: z.coerce
    .number()
    .int()
    .min(1)
    .max(1024)
    .default(availableParallelism())
    .describe('Attempts that run at the same time on this node. Default: one per core.'),
  DAS_PYTHON: z
    .string()
    .optional()
    .describe(
      'Python interpreter for scripts (3.9 or newer). Default: the first of python3 on PATH, /usr/bin/python3, /usr/local/bin/python3 that the account of scripts can run.',
    ),
  DAS_SCRIPT_UID_BASE: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(2 ** 31 - 2_000)
    .default(64_000)
    .describe(
      'Started as root, each worker runs under a user id of its own, from this one on (1,000 are set apart). No account of people may be among them.',
    ),
  DAS_SANDBOX: z
    .enum(['auto', ...sandboxSchema.options])
    .default('auto')
    .describe(
      'What keeps scripts in (docs/security.md): bwrap (rooms by bubblewrap), landlock (weaker), none (scripts can do what the account of the node can), or auto: the first of bwrap and landlock that works here; the node does not start when neither does.',
    ),
  DAS_SCRIPT_READS: folders(
    'Folders of this node that scripts may read, absolute, with commas between them. Default: none.',
  ),
  DAS_SCRIPT_WRITES: folders(
    'Folders of this node that scripts may read and write, absolute, with commas between them; the accounts of scripts need the rights for it, too. Default: none.',
  ),
  DAS_HOME: z.string().default('.das').describe('Folder for what the node keeps.'),
  DAS_SCRATCH: z
    .string()
    .optional()
    .describe('Folder for the private folders of workers. Default: scratch/<node> in DAS_HOME.'),
  DAS_CODE_CACHE: z
    .string()
    .optional()
    .describe(
      'Folder for unpacked code bundles; each node makes a folder of its own name in it. The accounts of scripts must be able to enter it. Default: code in DAS_HOME.',
    ),
  DAS_CODE_CACHE_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(limits.bundleBytesMax)
    .max(1024 * 1024 * mib)
    .default(1024 * mib)
    .describe(
      'Code bundles kept on this node (bytes). Beyond it the one used longest ago goes; those of running jobs stay.',
    ),
  DAS_PIP_FIND_LINKS: z
    .string()
    .optional()
    .describe(
      'Folder of Python wheels that the requirements.txt of a code bundle may name. Alone, nothing else is reached.',
    ),
  DAS_PIP_INDEX_URL: z
    .url()
    .optional()
    .describe('Package index that the requirements.txt of a code bundle is served from; only wheels are taken.'),
  DAS_WORKER_MEMORY_MB: z.coerce
    .number()
    .int()
    .min(64)
    .max(1024 * 1024)
    .default(2_048)
    .describe(
      'Memory of one worker with all that it starts (MiB): the most that a job can have here, and what it has without a limit of its own.',
    ),
  DAS_WORKER_PROCESSES: z.coerce
    .number()
    .int()
    .min(4)
    .max(32_768)
    .default(256)
    .describe('Processes and threads of one worker at a time: the most that a job can have here, and the default.'),
  DAS_WORKER_FILE_MB: z.coerce
    .number()
    .int()
    .min(1)
    .max(1024 * 1024)
    .default(1_024)
    .describe('Size of one file that a worker writes (MiB): the most that a job can have here, and the default.'),
  DAS_WORKER_SCRATCH_MB: z.coerce
    .number()
    .int()
    .min(1)
    .max(1024 * 1024)
    .default(256)
    .describe(
      'All files of one worker together (MiB), where the sandbox can bound them: the most that a job can have here, and the default.',
    ),
  DAS_HOLD_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(mib)
    .default(256 * mib)
    .describe(
      'Output that may wait in memory for a store that is away (bytes), beside what is on disk (DAS_SPOOL_BYTES_MAX). Beyond it nothing new starts.',
    ),
  DAS_SPOOL: z
    .string()
    .optional()
    .describe(
      'Folder for output that waits on disk for a store that is away; each node makes a folder of its own name in it, for its account alone. Default: spool in DAS_HOME.',
    ),
  DAS_SPOOL_BYTES_MAX: z.coerce
    .number()
    .int()
    .min(mib)
    .max(1024 * 1024 * mib)
    .default(1024 * mib)
    .describe(
      'Output that may wait on disk for a store that is away (bytes); it outlives a restart of the node. Beyond it output waits in memory (DAS_HOLD_BYTES_MAX).',
    ),
});
export type ExecutorConfig = Readonly<z.output<typeof executorConfig>>;

/** The most that any job may use of a worker here. */
export const placeLimitsOf = (config: ExecutorConfig): PlaceLimits => ({
  memoryBytes: config.DAS_WORKER_MEMORY_MB * mib,
  processes: config.DAS_WORKER_PROCESSES,
  fileBytes: config.DAS_WORKER_FILE_MB * mib,
  scratchBytes: config.DAS_WORKER_SCRATCH_MB * mib,
});

/** Where this node keeps bundles and packages: the folder that rooms see parts of. */
export const codeFolderOf = ({ DAS_CODE_CACHE, DAS_HOME }: ExecutorConfig, node: string): string =>
  resolve(DAS_CODE_CACHE ?? `${DAS_HOME}/code`, node);
