/** What has no setting. */
export const membershipLimits = {
  /** Port of memberlist where none is given. */
  seedPort: 7_946,
  /** Presence is told at the start, after these, and every {@link presenceEveryMs} (ms). */
  presenceSoonMs: [2_000, 5_000],
  presenceEveryMs: 10_000,
  /** A service of the node that was not heard for this long is not up (ms); they tell every 5 s. */
  serviceSilentMs: 15_000,
  countedEveryMs: 5_000,
  /** Attributes spread at most this often (ms); what comes within {@link gatherMs} goes together. */
  updateEveryMs: 1_000,
  gatherMs: 100,
  updateTimeoutMs: 30_000,
  /** The dead and the left are told of for this long (ms), and so many of them. */
  rememberMs: 600_000,
  departedMax: 1_024,
  /** Goodbye may take this long (ms); afterwards others find out. */
  leaveTimeoutMs: 2_000,
  bootstrapTimeoutMs: 1_000,
  /** Present nodes that wait to be joined, and how long each waits at most so that not all join at once (ms). */
  joinsMax: 1_024,
  joinSpreadPerMemberMs: 20,
  joinSpreadMaxMs: 1_000,
  /** Pauses between two rounds through the seeds while nobody else is known (ms). */
  seedPauseFirstMs: 1_000,
  seedPauseMaxMs: 30_000,
  keysMax: 16,
} as const;
