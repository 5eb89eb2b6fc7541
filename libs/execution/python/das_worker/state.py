"""What worker and executor may know of each other without asking: three 8-byte numbers in a mapped file that outlives this process."""
import mmap
import os
import signal

FILE = '.das-progress'
NO_ITEM = 2**64 - 1


class State:
    """`view[0]`: the item it is at; `view[1]`: grows with everything else that counts as progress;
    `view[2]`: grows with every confirmation of a hook, by the executor."""

    def __init__(self):
        handle = os.open(FILE, os.O_RDWR)
        self._map = mmap.mmap(handle, 24)
        os.close(handle)
        self.view = memoryview(self._map).cast('Q')
        self.view[0] = NO_ITEM
        self.cancelled = False
        # The process group of the command that runs.
        self.command = None
        # Set once there is a channel to ask by.
        self.locks = None
        self._ours = True

    def advance(self):
        self.view[1] += 1

    def cancel(self, *_):
        self.cancelled = True
        if self.command is not None:
            os.killpg(self.command, signal.SIGTERM)

    def leave_to_parent(self):
        """In a process that the script forked: it must neither report progress nor answer for its parent."""
        if not self._ours:
            return
        self._ours = False
        self.view.release()
        os.close(3)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
