import type { RuntimeScripts } from './runtime-scripts.js';

/** The behaviours in Python. */
export const pythonScripts: RuntimeScripts = {
  language: 'python',
  filename: 'job.py',
  words: {
    memory: 'MemoryError',
    refusedLocks: ['main thread', 'forked', 'already', 'a name has', 'wait is a number of seconds', 'imported'],
  },
  raisingLine: 'raise ValueError("bad item")',
  identity: `
def map(item): return item
def gather(results):
    assert len(results) == len(list(results))
    return (r for r in results)
def main(params): return params
`,
  prints: `
def map(item):
    print("says äöü", item)
    return 0
`,
  raisesAt3: `
def map(item):
    if item == 3:
        raise ValueError("bad item")
    return item
`,
  raises: 'def map(item): raise ValueError(item)\n',
  oddResults: `
def map(item):
    if item == 0: return {"x": float("nan")}
    if item == 1: return {1, 2}
    if item == 2:
        deep = []
        for _ in range(100_000): deep = [deep]
        return deep
    if item == 3: return "\\ud800"
    if item == 4: return "x" * (17 * 1024 * 1024)
    return "y" * (2 * 1024 * 1024)
`,
  generator: 'def map(item): yield from range(item)\n',
  asynchronous: `
import asyncio
async def map(item):
    await asyncio.sleep(0)
    return item * 2
`,
  closesStdout: `
import os, sys
def map(item):
    if item == 0:
        os.close(1)
        sys.stderr.close()
    return item
`,
  forks: `
import os, subprocess
def map(item):
    if item == 1:
        subprocess.Popen(["sleep", "1000"])
        if os.fork() == 0:
            return "child"
    return item
`,
  ignoresTerm: `
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
def map(item):
    while True: time.sleep(0.01)
`,
  endsWhenCancelled: `
import os, time, das
def map(item):
    while not das.cancelled():
        das.progress()
        time.sleep(0.001)
    os._exit(7)
`,
  floods: `
def map(item):
    for _ in range(1000): print("x" * 8000)
    return item
`,
  exitsAt3: `
import os, time
def map(item):
    time.sleep(0.06)
    if item == 3: os._exit(3)
    return item
`,
  asksToExitAt3: `
import sys
def map(item):
    if item == 3: sys.exit(3)
    return item
`,
  allocatesAt3: `
def map(item):
    if item == 3: bytearray(8 * 1024 ** 3)
    return item
`,
  reportsProgress: `
import time, das
def map(item):
    while True:
        das.progress(0.5)
        time.sleep(0.001)
`,
  failsImport: 'x = 1\nraise RuntimeError("no such thing")\n',
  splits: `
def split(params):
    for i in range(params["count"]):
        yield {"n": i * params["sign"]}
`,
  wordCount: `
def map(text):
    for word in text.split(): yield word, 1
def combine(key, values): return sum(values)
def reduce(key, values): return sum(values)
`,
  keyed: `
def map(item): yield item, 1
def reduce(key, values): return len(values)
`,
  wordKeys: `
def map(text):
    for word in text.split(): yield word, 1
def reduce(key, values): return sum(values)
def gather(results): return [r["key"] for r in results]
`,
  locks: `
import das
def map(item):
    with das.lock("stock", limit=5, wait=7) as lock:
        return lock.fence
def main(params):
    with das.lock("stock") as lock:
        lock.renew(9)
        return lock.fence
`,
  endsItsWait: `
import das, signal
class Enough(Exception): pass
def enough(*_): raise Enough("enough")
signal.signal(signal.SIGALRM, enough)
def map(item):
    if item == 0: signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with das.lock("stock") as lock:
            return lock.fence
    except Enough as thrown:
        return str(thrown)
`,
  wrongLocks: `
import das, os, threading
def told(act):
    try:
        act()
    except (das.LockError, ValueError) as thrown:
        return "%s: %s" % (type(thrown).__name__, thrown)
def take(name="stock", **more):
    with das.lock(name, **more): pass
imported = told(take)
def elsewhere():
    heard = []
    thread = threading.Thread(target=lambda: heard.append(told(take)))
    thread.start()
    thread.join()
    return heard[0]
def forked():
    ours, theirs = os.pipe()
    if os.fork() == 0:
        os.write(theirs, told(take).encode())
        os._exit(0)
    os.close(theirs)
    os.wait()
    return os.read(ours, 1000).decode()
def twice():
    with das.lock("stock"): return told(take)
def map(item):
    ways = [elsewhere, forked, twice, lambda: told(lambda: take("a b")), lambda: told(lambda: take(wait=-1)), lambda: imported]
    return ways[item]()
`,
  hooks: `
import das, json
text = lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
def map(item): return das.decision_id
def on_success(results):
    print("succeeded", das.decision_id, len(results), text(list(results)), text(list(results)))
    yield "nobody reads this"
async def on_failure(error):
    if error["code"] == "RAISE": raise ValueError("not this one")
    print("failed", das.decision_id, text(error))
`,
  endlessHook: `
import itertools, subprocess, time
def map(item): return item
def on_failure(error):
    subprocess.Popen(["sleep", "1000"])
    for n in itertools.count():
        print("", n)
        time.sleep(0.01)
`,
  brokenSyntax: 'def map(item):\n    return (\n',
  definesThree: `
print("this must not run")
from functools import reduce
def map(item): return item
async def gather(results): return []
on_failure = print
if __name__ == "__main__":
    def main(): pass
`,
};
