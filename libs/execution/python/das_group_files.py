"""Files of control groups: read where they can be, and written."""
import os
import signal
import time

# What was killed is in its group until it is reaped.
GONE_S = 0.2
LOOK_S = 0.002


def write(path, file, text):
    with open(os.path.join(path, file), 'w', encoding='ascii') as handle:
        handle.write(text)


def lines(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as handle:
            return handle.read().splitlines()
    except OSError:
        return []


def count(path, file, name):
    for line in lines(os.path.join(path, file)):
        key, _, value = line.partition(' ')
        if key == name:
            return int(value)
    return 0


def members(path):
    """Pids. Without those of other pid namespaces: they read as 0, which would mean our own group."""
    return [int(pid) for pid in lines(os.path.join(path, 'cgroup.procs')) if pid != '0']


def folders(path):
    try:
        return [entry.name for entry in os.scandir(path) if entry.is_dir()]
    except OSError:
        return []


def empty(path):
    """Kills what is in it and removes it. Whether it is gone."""
    until = time.monotonic() + GONE_S
    while True:
        for pid in members(path):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
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


def family(pid):
    """A process and its descendants."""
    found, at = [pid], 0
    while at < len(found):
        path = '/proc/%d/task/%d/children' % (found[at], found[at])
        found += [int(child) for child in ' '.join(lines(path)).split()]
        at += 1
    return found
