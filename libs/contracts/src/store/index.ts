/* What the results-store answers (`das.v1.store.*`). It is the only judge of terms and commits (DESIGN §4.2). */
export { type AttemptRef, type Range, attemptRefSchema, rangeSchema } from './attempt.js';
export * from './code.js';
export * from './input.js';
export * from './leader.js';
export * from './locks.js';
export * from './outputs.js';
export * from './views.js';
export * from './terms.js';
