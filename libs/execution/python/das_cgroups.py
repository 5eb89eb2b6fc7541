"""
What the kernel counts for a worker and all that it starts: memory and processes. Found once; v1, v2 or both beside each other, where they
can be written. A group for each executor, which several wardens may share one after the other, and below it one for each worker:
    BASE/das-EXECUTOR/WORKER
"""
import contextlib
import os
import signal
import time

MIB = 1024 * 1024
# The limits of a single process are a little lower, so that it hears of them before it is killed.
MEMORY_MORE = 16 * MIB
PROCESSES_MORE = 4
PREFIX = 'das-'
# What was killed is in its group until it is reaped.
GONE_S = 0.2
LOOK_S = 0.002


class Group:
    """One hierarchy: the folder that its controllers are in, and their files."""

    def __init__(self, base, controllers, version):
        self.base = base
        self.controllers = controllers
        self.version = version
        self.home = os.path.join(base, PREFIX + str(os.getppid()))

    def open(self):
        """Raises OSError where we may not."""
        if self.version == 2:
            self._hand_down(self.base)
        with contextlib.suppress(FileExistsError):
            os.mkdir(self.home)
        if self.version == 2:
            self._hand_down(self.home)

    def _hand_down(self, path):
        write(path, 'cgroup.subtree_control', ' '.join('+' + name for name in self.controllers))

    def path(self, worker):
        return os.path.join(self.home, str(worker))

    def limit(self, worker, limits):
        path = self.path(worker)
        if 'memory' in self.controllers:
            name = 'memory.max' if self.version == 2 else 'memory.limit_in_bytes'
            write(path, name, str(limits['memoryBytes'] + MEMORY_MORE))
        if 'pids' in self.controllers:
            write(path, 'pids.max', str(limits['processes'] + PROCESSES_MORE))

    def struck(self, worker):
        path, counts = self.path(worker), {}
        if 'memory' in self.controllers:
            counts['memory'] = count(path, 'memory.events' if self.version == 2 else 'memory.oom_control', 'oom_kill')
        if 'pids' in self.controllers:
            counts['processes'] = count(path, 'pids.events', 'max')
        return counts

    def sweep(self):
        """What executors that were killed together with their wardens have left."""
        for name in os.listdir(self.base):
            owner = name[len(PREFIX) :]
            if name.startswith(PREFIX) and owner.isdigit() and not os.path.isdir('/proc/' + owner):
                home = os.path.join(self.base, name)
                for worker in folders(home):
                    empty(os.path.join(home, worker))
                remove(home)


class Cgroups:
    def __init__(self, groups):
        self._groups = groups
        # Of workers that are gone, not yet empty.
        self._left = []

    def add(self, pid, limits):
        for group in self._groups:
            with contextlib.suppress(OSError):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(group.path(pid))
                group.limit(pid, limits)
                for member in family(pid):
                    write(group.path(pid), 'cgroup.procs', str(member))

    def limit(self, pid, limits):
        for group in self._groups:
            with contextlib.suppress(OSError):
                group.limit(pid, limits)

    def struck(self, pid):
        """How often a limit struck: {'memory': n, 'processes': n}."""
        told = {'memory': 0, 'processes': 0}
        for group in self._groups:
            told.update(group.struck(pid))
        return told

    def remove(self, pid):
        """Ends what is in it, too."""
        self._left += [group.path(pid) for group in self._groups]
        self._left = [path for path in self._left if not empty(path)]

    def close(self):
        for path in self._left:
            empty(path)
        # Another warden of the same executor may still have workers there.
        for group in self._groups:
            remove(group.home)


def find():
    """Those that can be written here; perhaps none."""
    groups = []
    for base, controllers, version in hierarchies():
        group = Group(base, controllers, version)
        with contextlib.suppress(OSError):
            group.sweep()
        try:
            group.open()
            groups.append(group)
        except OSError:
            remove(group.home)
    return Cgroups(groups)


def hierarchies():
    """(folder of our own group, controllers, version); a controller is in one only."""
    ours = {}
    for line in lines('/proc/self/cgroup'):
        _, names, path = line.split(':', 2)
        ours[names] = path
    wanted, found = {'memory', 'pids'}, []
    for line in lines('/proc/self/mounts'):
        _, point, kind, options = line.split(' ')[:4]
        if kind == 'cgroup':
            here = wanted.intersection(options.split(','))
            path = next((path for names, path in ours.items() if here and here <= set(names.split(','))), '/')
        elif kind == 'cgroup2':
            path = ours.get('', '/')
            here = wanted.intersection(*[set(' '.join(lines(os.path.join(own(point, path), 'cgroup.controllers'))).split())])
        else:
            continue
        if here:
            wanted -= here
            found.append((own(point, path), sorted(here), 1 if kind == 'cgroup' else 2))
    return found


def own(point, path):
    """In a container, what it sees of the hierarchy begins at its own group."""
    whole = os.path.join(point, path.lstrip('/'))
    return whole if os.path.isdir(whole) else point


def family(pid):
    """A process and its descendants."""
    found, at = [pid], 0
    while at < len(found):
        path = '/proc/%d/task/%d/children' % (found[at], found[at])
        found += [int(child) for child in ' '.join(lines(path)).split()]
        at += 1
    return found


def empty(path):
    """Kills what is in it and removes it. Whether it is gone."""
    until = time.monotonic() + GONE_S
    while True:
        for pid in lines(os.path.join(path, 'cgroup.procs')):
            # 0: of another pid namespace; to us it would mean our own group.
            if pid != '0':
                with contextlib.suppress(OSError):
                    os.kill(int(pid), signal.SIGKILL)
        if remove(path):
            return True
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_S)


def remove(path):
    try:
        os.rmdir(path)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def folders(path):
    try:
        return [entry.name for entry in os.scandir(path) if entry.is_dir()]
    except OSError:
        return []


def count(path, file, name):
    for line in lines(os.path.join(path, file)):
        key, _, value = line.partition(' ')
        if key == name:
            return int(value)
    return 0


def write(path, file, text):
    with open(os.path.join(path, file), 'w', encoding='ascii') as handle:
        handle.write(text)


def lines(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as handle:
            return handle.read().splitlines()
    except OSError:
        return []
