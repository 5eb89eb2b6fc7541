import { z } from 'zod';
import { checkConfig } from './core/beats.js';

const bounded = (min: number, max: number, standard: number, what: string) =>
  z.coerce.number().int().min(min).max(max).default(standard).describe(what);

/** Settings of the membership service. */
export const membershipConfig = z
  .object({
    DAS_MEMBER_SUSPECT_MS: bounded(
      1_500,
      600_000,
      3_000,
      'A node not heard for this long is suspect (ms). Nodes speak every second.',
    ),
    DAS_MEMBER_DEAD_MS: bounded(
      2_000,
      600_000,
      5_000,
      'A node not heard for this long is dead (ms); what it worked on goes elsewhere.',
    ),
  })
  .superRefine((given, context) => {
    const message = checkConfig({ suspectMs: given.DAS_MEMBER_SUSPECT_MS, deadMs: given.DAS_MEMBER_DEAD_MS });
    if (message !== undefined) context.addIssue({ code: 'custom', path: ['DAS_MEMBER_SUSPECT_MS'], message });
  });
export type MembershipConfig = Readonly<z.output<typeof membershipConfig>>;

/** What has no setting. */
export const membershipLimits = {
  /** Time between two beats (ms). */
  beatEveryMs: 1_000,
  tickMs: 250,
  lateMs: 1_000,
  forgetMs: 600_000,
  membersMax: 1_024,
} as const;
