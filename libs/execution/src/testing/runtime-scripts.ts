import type { Language } from '@das/contracts';
import type { StepKind } from '../ports/runtime.js';

/** What every runtime can do: map. */
export interface FilterScripts {
  readonly language: Language;
  readonly filename: string;
  /** `map` gives the item; in languages with functions also: `gather` all results, `main` the parameters. */
  readonly identity: string;
}

/** A runtime without functions says of each step that it has not got it, in these words. */
export interface LackingScripts extends FilterScripts {
  readonly cannot: Readonly<Record<StepKind | 'pairs', string>>;
}

/** The same behaviours in the language of the runtime; each `map` or step as its name says. */
export interface RuntimeScripts extends FilterScripts {
  readonly words: {
    /** What the language calls a lack of memory. */
    readonly memory: string;
    /** In what {@link wrongLocks} gives, item by item. */
    readonly refusedLocks: readonly string[];
  };
  /** The line of {@link raisesAt3} that raises. */
  readonly raisingLine: string;
  /** `map` prints "says äöü <item>" and gives 0. */
  readonly prints: string;
  /** Raises "bad item" at item value 3, gives the item otherwise. */
  readonly raisesAt3: string;
  /** Always raises. */
  readonly raises: string;
  /** Gives NaN at 0, what is not JSON at 1, something nested 100,000 deep at 2, a lone surrogate at 3, a 17 MiB string at 4, a 2 MiB string at 5. */
  readonly oddResults: string;
  readonly generator: string;
  readonly asynchronous: string;
  /** Closes its standard output, then gives the item. */
  readonly closesStdout: string;
  /** Starts a child that goes on as if it were the worker, and one that sleeps for ever; gives the item. */
  readonly forks: string;
  /** Ignores SIGTERM and never returns. */
  readonly ignoresTerm: string;
  /** Runs until it is told that it is cancelled, then ends the process with code 7. */
  readonly endsWhenCancelled: string;
  /** Prints about 8 MB at each item. */
  readonly floods: string;
  /** Ends the process with code 3 at item value 3; slow enough (60 ms) for each result to be told. */
  readonly exitsAt3: string;
  /** Asks the interpreter to exit with code 3 at item value 3. */
  readonly asksToExitAt3: string;
  /** Allocates 8 GiB at item value 3. */
  readonly allocatesAt3: string;
  /** `map` waits for ever, reporting progress all the time. */
  readonly reportsProgress: string;
  /** Fails while it is imported, with "no such thing". */
  readonly failsImport: string;
  /** `split` yields 0 … params.count-1, as {"n": params.sign × i}. */
  readonly splits: string;
  /** Word count: `map` yields (word, 1), `combine` and `reduce` sum. */
  readonly wordCount: string;
  /** `map` yields (item, 1), `reduce` counts. */
  readonly keyed: string;
  /** The same, without `combine`; gather gives the keys. */
  readonly wordKeys: string;
  /** `map` takes the lock "stock" (limit 5 s, wait 7 s) and gives its fence; `main` takes it, renews it to 9 s, and gives its fence. */
  readonly locks: string;
  /** Ends its wait for the lock "stock" by itself after 50 ms at item 0, and gives what the wait raised; at others, the fence. */
  readonly endsItsWait: string;
  /** Asks for locks that cannot be: from a second thread, from a forked process, for what it holds already, for no name, for no time, while imported; gives what each raised. */
  readonly wrongLocks: string;
  /**
   * `on_success` prints "succeeded <decision id> <number of lines> <lines> <lines again>", lines as compact JSON, in a generator; `on_failure`, asynchronous,
   * prints "failed <decision id> <error as JSON>", and raises "not this one" for the code RAISE; `map` gives the decision id, which is none.
   */
  readonly hooks: string;
  /** `on_failure` starts a child that sleeps for ever, then prints " 1", " 2" … for ever, a line each 10 ms; `map` gives the item. */
  readonly endlessHook: string;
  /** A syntax fault in line 2. */
  readonly brokenSyntax: string;
  /** Defines `map` and an asynchronous `gather`, imports `reduce`, assigns `on_failure`. */
  readonly definesThree: string;
}
