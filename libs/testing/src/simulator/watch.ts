import type { Assignment } from '@das/contracts';
import { type OfficeEffect, defaultAssignerConfig } from '@das/jobs';
import type { Cluster } from './cluster.js';
import type { Machine, Process } from './machine.js';

/** Clocks differ by 5 % each way. */
const clockMargin = 0.88;
/** So many ended attempts of a part are kept in the store. */
const attemptsKept = 32;

/** Watches what leaders and executors do, beside what the store does. */
export class Watch {
  /** By life of an executor: what it has started. */
  readonly #started = new WeakMap<Process, Set<string>>();

  constructor(private readonly cluster: Cluster) {}

  /** An executor was handed attempts: the store knows each of them, or has forgotten it since. */
  sent(process: Process, assignments: readonly Assignment[]): void {
    for (const { job: id, generation, part: name, attempt } of assignments) {
      const job = this.cluster.store.data.jobs.get(id);
      if (job === undefined || job.generation !== generation) continue;
      const part = job.parts.get(name);
      const known = part?.attempts.some((a) => a.attempt === attempt) === true;
      if (!known && (part?.attempts.length ?? 0) < attemptsKept)
        this.cluster.judge.fail('saved before it is sent', `${process.name} was sent ${id} ${name}/${attempt}`);
    }
  }

  /** One life of an executor starts an attempt once. */
  started(process: Process, attempt: string): void {
    let started = this.#started.get(process);
    if (started === undefined) this.#started.set(process, (started = new Set()));
    if (started.has(attempt)) this.cluster.judge.fail('one life runs an attempt once', `${process.name} ${attempt}`);
    started.add(attempt);
  }

  /** Nobody is judged by the deaf: who just came back, or woke, has not heard anybody. */
  decided(machine: Machine, effects: readonly OfficeEffect[]): void {
    for (const effect of effects) {
      const judged = effect.kind === 'save' && effect.request.ended.some(({ why }) => why.startsWith('node lost'));
      if (!judged) continue;
      const heardForMs = this.cluster.time.now - machine.hearsSinceMs;
      if (heardForMs < defaultAssignerConfig.lostMs * clockMargin)
        this.cluster.judge.fail(
          'nobody is judged by the deaf',
          `${machine.name} hears for ${Math.round(heardForMs)} ms`,
        );
    }
  }
}
