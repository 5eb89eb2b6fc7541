import { SystemClock, newId } from '@das/platform';
import { type Cannot, runtimeContract } from '../ports/runtime.contract.js';
import { benchHarness } from '../testing/bench-harness.js';
import type { RuntimeScripts } from '../testing/runtime-scripts.js';
import { births } from '../testing/worker-bench.js';

const none = 'exit 1';

/** As JSON in and out, a line for a line. */
const scripts: RuntimeScripts = {
  language: 'command',
  filename: 'command',
  words: { memory: none, refusedLocks: [] },
  raisingLine: none,
  keyed: none,
  identity: 'cat',
  prints: 'while read item; do echo "says äöü $item" >&2; echo 0; done',
  raisesAt3: none,
  raises: 'exit 1',
  oddResults: `
while read item; do case $item in
  0) echo '{"x":NaN}';;
  1) echo '{1, 2}';;
  2) head -c 100000 /dev/zero | tr '\\0' '['; echo;;
  3) printf '%s\\n' '"\\ud800"';;
  4) head -c 17825792 /dev/zero | tr '\\0' x; echo;;
  5) printf '"'; head -c 2097152 /dev/zero | tr '\\0' y; echo '"';;
esac; done`,
  generator: none,
  asynchronous: none,
  closesStdout: none,
  forks: 'sleep 1000 & cat',
  ignoresTerm: `trap '' TERM; while :; do sleep 0.01; done`,
  endsWhenCancelled: none,
  floods: `while read item; do head -c 8100000 /dev/zero | tr '\\0' x >&2; echo "$item"; done`,
  exitsAt3: none,
  asksToExitAt3: none,
  allocatesAt3: none,
  reportsProgress: none,
  failsImport: none,
  splits: none,
  wordCount: none,
  wordKeys: none,
  locks: none,
  endsItsWait: none,
  wrongLocks: none,
  hooks: none,
  endlessHook: none,
  brokenSyntax: none,
  definesThree: none,
};

const because = (why: string, ...titles: string[]): Cannot => Object.fromEntries(titles.map((title) => [title, why]));

/** What a script of functions can and a command cannot; what it does instead is in command-runtime.spec.ts. */
const cannot: Cannot = {
  ...because('its results are the bytes that it writes', 'are text, not escapes'),
  ...because(
    'it has no generators and nothing to wait for',
    'gives a list for a generator, and waits for what is asynchronous',
  ),
  ...because(
    'it raises nothing: it ends with an exit code, and the worker lives on',
    'tells an exception with its item and the lines of the script, and goes on',
    'takes a request to exit for a failure of the item',
    'keeps what was told before the process ended, and says at which item it was',
    'survives a script that wants too much memory',
  ),
  ...because('there is nothing to import', 'tells why a script cannot be imported'),
  ...because('it is the map of its job, or its only step', 'says fatally that a function is missing'),
  ...because('its results are its standard output', 'goes on without standard output'),
  ...because('nobody asks it: SIGTERM ends it, and the worker with it', 'lets a script that listens end by itself'),
  ...because('its progress is the lines that it reads and writes', 'shows progress that the script reports'),
  ...because(
    'it has no split',
    'yields numbered blocks with digests, waiting for each to be stored',
    'goes on after the blocks that an earlier attempt stored',
    'says that it yields other items than an earlier attempt',
    'says that it yields fewer items than an earlier attempt',
    'yields nothing',
  ),
  ...because(
    'it has no combine, reduce and gather',
    'gives keys the text, the bucket and the order that every other language gives them',
    'gives combined pairs by bucket, each key in one bucket wherever it is mapped',
    'reduces keys in their order, with values in item order',
    'merges sorted buckets when the script has no gather',
    'gathers reduced lines in key order',
    'gathers all results, or none, and leaves nothing out of many',
    'tells a failing step',
  ),
  ...because('its parameters are in its environment', 'runs main with its parameters'),
  ...because(
    'it has no hooks',
    'hand on_success the lines of the result, with their number, as often as wanted; nothing comes of what it gives',
    'hand on_failure the error',
    'tell the id of the decision to the hook only',
    'end by themselves, with what they started, once nobody confirms them any more',
    'tell a failure by the name of the function, also of one that the script lacks',
  ),
  ...because(
    'it defines no functions, and its syntax is that of a shell',
    'says which functions a script defines, without running it',
    'says where the syntax breaks',
  ),
  ...because(
    'it has no das.lock; it may take locks by REST',
    'are asked for as the script says, and given back with their fence at the end of the block',
    'are renewed for a time of their own, in steps too',
    'that were lost tell it at renewing',
    'are answered while items wait in front of the answer, and none is lost or out of order',
    'are waited for as something that is ours to give, and the finished items are not lost',
    'that are not had in time fail the item in our words, and no other',
    'are given back when the script ends its wait by itself, and a late answer is nobody else’s',
    'are refused in words where they cannot be',
  ),
};

const command = { run: 'shell', words: [], perItem: false, items: 'json', results: 'json' } as const;

for (const how of births)
  runtimeContract(
    `command by ${how}`,
    () => benchHarness(new SystemClock(), newId, { how }, { command }),
    scripts,
    cannot,
  );
