"""
What the kernel counts for a worker and all that it starts: memory and processes. Found once; v1, v2 or both beside each other, where they
can be written. Groups of an executor may be shared by several wardens, one after the other.
"""
import contextlib
import os

from das_group import Group, UnifiedGroup
from das_group_files import empty, family, lines, write


# Controllers, as people call what they bound.
NAMES = {'memory': 'memory', 'pids': 'processes'}


class Cgroups:
    def __init__(self, groups, why):
        """`why`: of what is not bounded, in words."""
        self._groups = groups
        self._why = why
        # Those that some worker is not in.
        self._failed = []
        # Of workers that are gone, not yet empty.
        self._left = []

    def bound(self):
        """What is limited for every worker with all that it starts, and why no more than that, which is told once."""
        found = {controller for group in self._groups if group not in self._failed for controller in group.controllers}
        why, self._why = self._why, []
        return {'grouped': [name for controller, name in NAMES.items() if controller in found], 'why': why}

    def add(self, pid, limits):
        """Whether less is bounded from now on."""
        failed = len(self._failed)
        for group in self._groups:
            try:
                enter(group, pid, limits)
            except OSError as fault:
                if group not in self._failed:
                    self._failed.append(group)
                    self._why.append('%s, from a worker on that could not be put into its group' % reason(group, fault))
        return len(self._failed) > failed

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
        for group in self._groups:
            group.close()


def find(locks):
    """Those that can be written here; perhaps none. `locks`: a folder where locks of ours may be."""
    groups, why = [], []
    for kind, base, controllers in hierarchies():
        group = kind(base, controllers, locks)
        try:
            group.open()
            groups.append(group)
        except OSError as fault:
            why.append(reason(group, fault))
    return Cgroups(groups, why)


def reason(group, fault):
    return '%s: %s (%s)' % (' and '.join(NAMES[name] for name in group.controllers), fault.strerror, fault.filename or group.base)


def enter(group, pid, limits):
    """Puts a process and what it started into a group of its own. Raises OSError where that cannot be done."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(group.path(pid))
    group.limit(pid, limits)
    for member in family(pid):
        # It may have ended.
        with contextlib.suppress(ProcessLookupError):
            write(group.path(pid), 'cgroup.procs', str(member))


def hierarchies():
    """(kind, folder of our own group, controllers); a controller is in one only."""
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
            found.append((Group if kind == 'cgroup' else UnifiedGroup, own(point, path), sorted(here)))
    return found


def own(point, path):
    """In a container, what it sees of the hierarchy begins at its own group."""
    whole = os.path.join(point, path.lstrip('/'))
    return whole if os.path.isdir(whole) else point
