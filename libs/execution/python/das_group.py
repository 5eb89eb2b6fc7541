"""
One hierarchy of control groups: a group for each executor, and below it one for each worker.
    BASE/das-EXECUTOR/WORKER
Of the second version a group has either processes or groups that are counted, so that all that is in BASE moves aside first:
    BASE/das-members
"""
import contextlib
import errno
import os

import das_locks
from das_group_files import count, empty, folders, members, remove, write

MIB = 1024 * 1024
# The limits of a single process are a little lower, so that it hears of them before it is killed.
MEMORY_MORE = 16 * MIB
PROCESSES_MORE = 4
PREFIX = 'das-'
MEMBERS = PREFIX + 'members'
# Processes that are forked while others are moved stay behind.
MOVES_MAX = 20
# It takes milliseconds to open or close here; who waits longer has no groups.
ALONE_S = 2.0
UNITS = ('.service', '.scope')
# By root, and by anybody.
DELEGATED = ('trusted.delegate', 'user.delegate')


class Group:
    """Of the first version. `base`: the folder that its controllers are in; `locks`: where locks of ours may be."""

    # Of memory: its limit, what of it swap may take, and where the kernel tells whom it killed.
    MEMORY, SWAP, KILLED = 'memory.limit_in_bytes', 'memory.memsw.limit_in_bytes', 'memory.oom_control'

    def __init__(self, base, controllers, locks):
        self.base = base
        self.controllers = controllers
        self.locks = locks
        self.home = os.path.join(base, PREFIX + str(os.getppid()))

    def open(self):
        """Raises OSError where we may not; nothing is left then."""
        self._sweep()
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.home)

    def close(self):
        """Another warden of the same executor may still have workers there."""
        remove(self.home)

    def path(self, worker):
        return os.path.join(self.home, str(worker))

    def limit(self, worker, limits):
        path = self.path(worker)
        if 'memory' in self.controllers:
            most = limits['memoryBytes'] + MEMORY_MORE
            write(path, self.MEMORY, str(most))
            # Kernels that do not count it have no such file.
            if os.path.exists(os.path.join(path, self.SWAP)):
                write(path, self.SWAP, str(self.swap(most)))
        if 'pids' in self.controllers:
            write(path, 'pids.max', str(limits['processes'] + PROCESSES_MORE))

    def swap(self, memory):
        """Here it is counted together with memory."""
        return memory

    def struck(self, worker):
        path, counts = self.path(worker), {}
        if 'memory' in self.controllers:
            counts['memory'] = count(path, self.KILLED, 'oom_kill')
        if 'pids' in self.controllers:
            counts['processes'] = count(path, 'pids.events', 'max')
        return counts

    def _sweep(self):
        """What executors that were killed together with their wardens have left."""
        with contextlib.suppress(OSError):
            for name in self._homes():
                if not os.path.isdir('/proc/' + name[len(PREFIX) :]):
                    home = os.path.join(self.base, name)
                    for worker in folders(home):
                        empty(os.path.join(home, worker))
                    remove(home)

    def _homes(self):
        return [name for name in os.listdir(self.base) if name.startswith(PREFIX) and name[len(PREFIX) :].isdigit()]


class UnifiedGroup(Group):
    """Of the second version."""

    MEMORY, SWAP, KILLED = 'memory.max', 'memory.swap.max', 'memory.events'

    def __init__(self, base, controllers, locks):
        # Somebody else of this cluster may have moved us aside.
        super().__init__(base[: -len('/' + MEMBERS)] if base.endswith('/' + MEMBERS) else base, controllers, locks)
        self._aside = os.path.join(self.base, MEMBERS)

    def swap(self, memory):
        return 0

    def open(self):
        if not handed_over(self.base):
            raise OSError(errno.EPERM, 'systemd has not handed it over', self.base)
        with self._alone():
            try:
                self._hand_down_here()
                super().open()
                self._hand_down(self.home, '+')
            except OSError:
                remove(self.home)
                self._put_back()
                raise

    def close(self):
        super().close()
        with contextlib.suppress(OSError), self._alone():
            self._put_back()

    def _alone(self):
        """Nobody else of our account opens or closes here meanwhile. Not by a lock of the folder itself: that takes no right but to see it."""
        at = os.stat(self.base)
        return das_locks.held(os.path.join(self.locks, 'das-groups-%d-%d.lock' % (at.st_dev, at.st_ino)), ALONE_S)

    def _hand_down_here(self):
        for _ in range(MOVES_MAX):
            self._move_aside()
            try:
                return self._hand_down(self.base, '+')
            except OSError as fault:
                if fault.errno != errno.EBUSY:
                    raise
        raise OSError(errno.EBUSY, 'its processes cannot be moved aside', self.base)

    def _move_aside(self):
        # The first group of a machine, the only one without a type, may have both.
        if os.path.exists(os.path.join(self.base, 'cgroup.type')) and members(self.base):
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._aside)
            self._move(self.base, self._aside)

    def _hand_down(self, path, sign):
        write(path, 'cgroup.subtree_control', ' '.join(sign + name for name in self.controllers))

    def _put_back(self):
        """All is as it was before the first executor came, once the last one has left."""
        if os.path.isdir(self._aside) and not self._homes():
            self._hand_down(self.base, '-')
            self._move(self._aside, self.base)
            remove(self._aside)

    def _move(self, source, target):
        for pid in members(source):
            # It may have ended.
            with contextlib.suppress(ProcessLookupError):
                write(target, 'cgroup.procs', str(pid))


def handed_over(path):
    """systemd ends a whole unit when memory makes the kernel kill anything of it, but for sessions and units that it was told to hand over (Delegate=yes)."""
    while path not in ('', '/'):
        path, name = os.path.split(path)
        if name.endswith(UNITS):
            return name.startswith('session-') or any(marked(os.path.join(path, name), mark) for mark in DELEGATED)
    return True


def marked(path, name):
    try:
        return os.getxattr(path, name) == b'1'
    except OSError:
        return False
