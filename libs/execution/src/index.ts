export { type Attempt, type AttemptKey, type AttemptState, attemptKey, attemptTransitions } from './core/attempt.js';
export { type Bounds, type LimitKind, type PlaceLimits, boundsOf, placeLimitsDefault } from './core/bounds.js';
export {
  type ExecutorEffect,
  type ExecutorEvent,
  type ExecutorState,
  type Step,
  type Verdict,
  attemptsMax,
  countIn,
  newExecutor,
  step,
} from './core/executor.js';
export {
  type Exit,
  type PartWord,
  type ScriptFailure,
  explained,
  goneReason,
  importTimedOut,
  notImported,
  raised,
} from './core/failures.js';
export { type HoldFigures, holdNotice } from './core/hold-words.js';
export {
  type LogBounds,
  type LogBudget,
  admitLines,
  cutLines,
  droppedNotice,
  logLimits,
  newLogBudget,
} from './core/log-lines.js';
export { type ItemFailure, type PartOutcome, crashOutcome, itemsDone, partOutcome } from './core/outcome.js';
export { type FilledRow, type Rows, MapRows, PairRows, StepRows, rowBytes } from './core/rows.js';
export {
  type SpoolBounds,
  type SpoolEffect,
  type SpoolEvent,
  type SpoolState,
  isSpooled,
  newSpool,
  spoolStep,
  spoolTrouble,
  spooledBytes,
  spooledFiles,
} from './core/spool.js';
export { messageLength, rowsPerMessageMax } from './core/row-messages.js';
export {
  InterpreterMissingError,
  NoSandboxError,
  NodeUnfitError,
  NotStartedError,
  WorkerGoneError,
} from './ports/errors.js';
export type { Command, LaunchedProcess, Launcher, Place } from './ports/launch.js';
export type {
  Furnished,
  Inspection,
  LockAnswer,
  LockCall,
  Page,
  Pages,
  RunEnd,
  Runtime,
  RuntimeWorker,
  ScriptJob,
  ScriptText,
  SyntaxFault,
  Work,
  WorkSink,
  WorkerPosition,
} from './ports/runtime.js';
export {
  type FoundFile,
  type SpoolFile,
  type SpoolFiles,
  SpoolWriteError,
  type TornFile,
  spoolName,
} from './ports/spool-files.js';
export { probeWorker } from './pool/probe-worker.js';
export { type Sandbox, type SandboxChoice, type SandboxOptions, openSandbox } from './sandbox/sandbox.js';
export { nextTurn } from './launch/turn.js';
export { Warden, probeUid } from './launch/warden.js';
export { type FoundPython, findPython } from './python/find-python.js';
export { type Venv, findVenv } from './python/find-venv.js';
export { VenvRuntime } from './python/venv-runtime.js';
export { findNode } from './node/find-node.js';
export { NodeRuntime } from './node/node-runtime.js';
export { PythonRuntime } from './python/python-runtime.js';
export { type LogListener, type LogStream, PooledWorker, cancelGraceMs } from './pool/pooled-worker.js';
export { type Binding, type PoolOptions, WorkerPool } from './pool/worker-pool.js';
export { VenvPools, type VenvPoolsOptions } from './pool/venv-pools.js';
export { type Family, type LanguageBinding, WorkerPools } from './pool/worker-pools.js';
export { Scratch } from './pool/scratch.js';
export { FolderSpool } from './spool/folder-spool.js';
export { MemorySpool } from './spool/memory-spool.js';
export type { StartOptions } from './pool/worker-start.js';
