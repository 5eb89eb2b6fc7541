/** What has no setting. */
export const membershipLimits = {
  /** Port of memberlist where none is given. */
  seedPort: 7_946,
  /** Presence is told at the start, after these, and every {@link presenceEveryMs} (ms). */
  presenceSoonMs: [2_000, 5_000],
  presenceEveryMs: 10_000,
  /** A service of the node that was not heard for this long is not up (ms); they tell every 10 s. */
  serviceSilentMs: 30_000,
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
  /** Present nodes that wait to be joined, those joined at the same time, and how long each waits at most so that not all join at once (ms). */
  joinsMax: 1_024,
  joinsAtOnceMax: 4,
  joinSpreadPerMemberMs: 20,
  joinSpreadMaxMs: 8_000,
  /** One that could not be joined is left alone for this long (ms): less than {@link presenceEveryMs}, so that its next presence counts. */
  joinAgainFirstMs: 8_000,
  /**
   * Then for twice as long each time, up to this for every member there is (ms): all together try about once a second, whatever the size, and
   * a cluster that fell apart comes together soon.
   */
  joinAgainPerMemberMs: 1_000,
  joinAgainMaxMs: 300_000,
  /** Newer keys are asked for after at most so long (ms): those who lag behind together must not have different ones for long. */
  adoptSpreadMaxMs: 1_000,
  adoptAgainMaxMs: 60_000,
  /** Keys that were replaced by newer ones decrypt for this long (ms), until others who lag behind have them too. */
  retireKeysMs: 15_000,
  /** Pauses between two rounds through the seeds (ms): growing while nobody else is known, else the longest. */
  seedPauseFirstMs: 1_000,
  seedPauseMaxMs: 30_000,
  /** Addresses of one seed's name that are tried. */
  seedAddressesMax: 64,
  keysMax: 16,
} as const;
