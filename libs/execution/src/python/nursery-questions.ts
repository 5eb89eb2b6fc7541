import { NotStartedError } from '../ports/errors.js';

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What keepers were asked for and have not answered yet: one question of each at a time: who asks waits for the answer first. */
export class NurseryQuestions {
  readonly #waiting = new Map<string, Waiting>();

  /** @throws NotStartedError with the keeper's words. */
  ask(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.answered(id, 'it was asked again');
      this.#waiting.set(id, { resolve, reject });
    });
  }

  /** `why`: null when it was done. */
  answered(id: string, why: string | null): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (why === null) waiting?.resolve();
    else waiting?.reject(new NotStartedError(why));
  }

  lost(why: string): void {
    for (const id of [...this.#waiting.keys()]) this.answered(id, why);
  }
}
