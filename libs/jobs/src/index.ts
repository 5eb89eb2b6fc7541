export { apply, type AssignerEvent } from './core/assigner-events.js';
export { mustSave, plan, type Advance, type Plan, type Send } from './core/assigner-plan.js';
export {
  defaultAssignerConfig,
  takeOffice,
  type AssignerConfig,
  type AssignerState,
} from './core/assigner-state.js';
export { takeProgress } from './core/progress.js';
export { partIdOf, parsePartId, type PartName } from './core/part-id.js';
export type { OutboxRow, ResultStore, WithRaw } from './ports/result-store.js';
