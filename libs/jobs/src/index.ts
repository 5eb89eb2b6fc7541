export { apply, type AssignerEvent } from './core/assigner-events.js';
export { mustSave, plan, type Advance, type Plan, type Send } from './core/assigner-plan.js';
export { defaultAssignerConfig, takeOffice, type AssignerConfig, type AssignerState } from './core/assigner-state.js';
export {
  hearCoordinator,
  leave,
  newLeadership,
  termOver,
  termRead,
  type Leadership,
  type LeadershipEffect,
} from './core/leadership.js';
export { officeStep, openOffice } from './core/office.js';
export {
  pollMs,
  saveTimeoutMs,
  type LoadedJob,
  type OfficeEffect,
  type OfficeEvent,
  type OfficeState,
} from './core/office-types.js';
export { takeProgress } from './core/progress.js';
export { resultKind } from '@das/contracts';
export { inOrder, type Known, type Place } from './core/results.js';
export { partIdOf, parsePartId, type PartName } from './core/part-id.js';
export type { OutboxRow, ResultStore, WithRaw } from './ports/result-store.js';
export { MemoryResultStore } from './memory/memory-result-store.js';
export { decideCommit, type CommitDecision, type Committed, type ErrorLine } from './core/commit.js';
export { checkRows, rowInside } from './core/commit-check.js';
export {
  freshPart,
  jobEnded,
  openPartOf,
  partOpen,
  partViewOf,
  type JobFacts,
  type StoredAttempt,
  type StoredPart,
} from './core/job-rules.js';
export {
  decideAdvance,
  decideCancel,
  endsWith,
  endedAlready,
  isWhole,
  type AdvanceDecision,
  type PartTally,
} from './core/job-rules-advance.js';
export { attemptLive, decideAppend, decideRestart, decideSeal, firstState, liveIn } from './core/job-rules-input.js';
export {
  type LockDecision,
  type StoredLock,
  decideAcquire,
  decideRelease,
  decideRenew,
  holderAt,
  sameHolder,
} from './core/lock-rules.js';
export { itemsPage, outputPage, type ItemBlock, type OutputHead } from './core/job-rules-pages.js';
export { judgeKey, type HeldKey, type KeyAsk } from './core/submission-key.js';
export { hooksOf, restOf } from './core/job-rules-outcome.js';
export { decideSave, type SaveDecision } from './core/job-rules-save.js';
export { asFault, bundleMissing, checkBlock, checkDigest, slices } from './ports/checked-input.js';
export { cancelFailure, fittingJson, fittingParts, pages, restartNote, tooMuchStaged } from './ports/pages.js';
export { InvalidRequestError } from './core/job-rules-refusal.js';
