export { type FaultKind, type Processes, faultKinds } from './reliability/faults.js';
export { type Pace, described, planFaults, shortPace, usualPace } from './reliability/plan.js';
export { bounds, missed, percent, summary, table, type Summary } from './reliability/report.js';
export { type SeededRun, type SessionOptions, performRuns } from './reliability/session.js';
export { type Leftovers, type Strategy } from './reliability/stage.js';
