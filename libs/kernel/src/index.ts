export { type Brand, type JobId, type NodeId, type PartId, jobId, nodeId } from './ids.js';
export { type Cancel, type Clock, type DurationMs, type EpochMs, type Rng, durationMs, epochMs } from './time.js';
export { isoOf } from './iso.js';
export { sizeText } from './size.js';
export { type TransitionTable, isTerminal, move } from './transitions.js';
export { DasError, InvalidTransitionError, assertNever, messageOf } from './errors.js';
