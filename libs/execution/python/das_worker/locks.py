"""Locks of users: `das.lock(name)`. The executor asks the store; this process waits for its answer."""
import re
import threading

from .channel import Closed

NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z')
LIMIT_S = (0.1, 3600)
WAIT_S = (0, 3600)
HELD_MAX = 64


class LockError(Exception):
    """The lock cannot be had here, or now."""


class LockTimeout(LockError):
    """The lock was not had in time; the message says who holds it, or what was not reached."""


class LockLost(LockError):
    """The lock is not held any more: its limit was over."""


for public in (LockError, LockTimeout, LockLost):
    public.__module__ = 'das'


class Locks:
    """Those of the part that runs. `run` grows with every part: what an earlier one held is not given back by a later one."""

    def __init__(self, channel):
        self.channel = channel
        self.run = 0
        self.running = False
        self.held = {}

    def begin(self):
        self.run += 1
        self.running = True
        self.held.clear()

    def end(self):
        """The store frees what the part still held as soon as it takes the part's output."""
        self.running = False
        self.held.clear()

    def teach(self, das):
        """Puts the names into the module that scripts import."""
        das.LockError, das.LockTimeout, das.LockLost = LockError, LockTimeout, LockLost
        das.lock = lambda name, limit=30, wait=60: Lock(self, name, limit, wait)

    def check(self):
        if not self.channel.ours:
            raise LockError('das.lock works in the process of the script, not in one that it forked')
        if threading.get_ident() != threading.main_thread().ident:
            raise LockError('das.lock works in the main thread of the script only')
        if not self.running:
            raise LockError('das.lock works while a function of the script runs, not while it is imported')


class Lock:
    """One lock, for `with`. `fence` is its fencing token: higher for every later holder, whatever became of the earlier ones."""

    def __init__(self, locks, name, limit, wait):
        if not isinstance(name, str) or not NAME.match(name):
            raise ValueError(
                'das.lock: a name has 1 to 128 letters, digits, ".", "_", ":" or "-", the first a letter or digit; not %.200r' % (name,)
            )
        self.name = name
        self.fence = None
        self._limit = milliseconds('limit', limit, LIMIT_S)
        self._wait = milliseconds('wait', wait, WAIT_S)
        self._locks = locks
        self._run = None

    def __enter__(self):
        locks = self._locks
        locks.check()
        if self.name in locks.held:
            raise LockError('the lock %s is held by this very part already' % self.name)
        if len(locks.held) >= HELD_MAX:
            raise LockError('a part holds at most %d locks at a time' % HELD_MAX)
        question = {'op': 'acquire', 'name': self.name, 'limitMs': self._limit, 'waitMs': self._wait}
        try:
            answer = locks.channel.ask(question)
        except Closed:
            raise
        except BaseException:
            # A signal handler of the script ended the wait; the lock may be had all the same.
            locks.channel.tell({'op': 'release', 'name': self.name})
            raise
        self.fence = fence_of(answer)
        self._run = locks.run
        locks.held[self.name] = self
        return self

    def renew(self, limit=None):
        """A new limit, from now on (seconds; by default as at first). Raises das.LockLost when the old one was over."""
        limit_ms = self._limit if limit is None else milliseconds('limit', limit, LIMIT_S)
        self._locks.check()
        if self._run != self._locks.run or self._locks.held.get(self.name) is not self:
            raise LockLost('the lock %s is not held' % self.name)
        question = {'op': 'renew', 'name': self.name, 'fence': self.fence, 'limitMs': limit_ms}
        fence_of(self._locks.channel.ask(question))

    def __exit__(self, *_):
        locks = self._locks
        if not locks.channel.ours or locks.run != self._run or locks.held.get(self.name) is not self:
            return
        del locks.held[self.name]
        locks.channel.tell({'op': 'release', 'name': self.name, 'fence': self.fence})


def fence_of(answer):
    if 'fence' in answer:
        return answer['fence']
    kinds = {'timeout': LockTimeout, 'lost': LockLost}
    raise kinds.get(answer.get('refusal'), LockError)(answer.get('why', 'the lock cannot be had'))


def milliseconds(what, seconds, bounds):
    low, high = bounds
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not low <= seconds <= high:
        raise ValueError('das.lock: %s is a number of seconds from %s to %s, not %.100r' % (what, low, high, seconds))
    return int(round(seconds * 1000))
