import { z } from 'zod';

/** Settings of the leader. */
export const leaderConfig = z.object({
  DAS_PART_TARGET_MS: z.coerce
    .number()
    .int()
    .min(10)
    .max(600_000)
    .default(1_000)
    .describe('How long a part should last (ms). Lower shares more evenly and costs about 1 ms per part.'),
  DAS_NODE_LOST_MS: z.coerce
    .number()
    .int()
    .min(1_500)
    .max(600_000)
    .default(3_000)
    .describe(
      'An executor whose heartbeats (1 s) are missing for this long is lost; its parts go to other nodes (ms).',
    ),
});
