/** The query, or its answer, is beyond a bound. State: nothing has changed. Ask for less, or page by page. */
export class QueryTooLargeError extends Error {
  constructor(reason: string) {
    super(`the query is too large: ${reason}`);
    this.name = 'QueryTooLargeError';
  }
}

/** The knowledge base lacks what was asked for by its name. State: nothing has changed. Ask for another. */
export class AtomNotFoundError extends Error {
  constructor(what: string) {
    super(`there is no ${what}`);
    this.name = 'AtomNotFoundError';
  }
}
