"""A hook must not run on where nobody confirms it any more, also when the executor itself stands still."""
from time import monotonic

from .limits import end_group

LOOK_S = 0.1


class Lease:
    """Ends this process and all it started once `seconds` went by without a new confirmation. Code that never lets go of the interpreter is out of its reach."""

    def __init__(self, state, seconds):
        import threading

        self._state = state
        self._seconds = seconds
        self._over = threading.Event()
        # A daemon: it must not keep alive a process whose main thread has ended.
        threading.Thread(target=self._watch, name='das-lease', daemon=True).start()

    def _watch(self):
        seen, since = self._state.view[2], monotonic()
        while not self._over.wait(min(LOOK_S, self._seconds / 10)):
            now = self._state.view[2]
            if now != seen:
                seen, since = now, monotonic()
            elif monotonic() - since > self._seconds:
                end_group()

    def end(self):
        self._over.set()
