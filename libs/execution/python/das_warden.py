"""
Outlives the executor by a moment: when the executor is gone, even by SIGKILL, everything that its workers started ends and their
folders go. Also ends single workers for it, limits them by cgroups where it may, and lends accounts so that no two workers of this machine
share one.

Lines of JSON on stdin: {"claim": id} | {"watch": pid, "uid": n, "folder": path, "mark": text, "limits": {"memoryBytes": n, "processes": n}}
    | {"limit": pid, "limits": …} | {"struck": pid} | {"end": pid} | {"release": uid}
Lines of JSON on stdout: {"grouped": those of "memory" and "processes" that cgroups bound, "why": [of the others, in words]} first and when that changes, {"claimed": id, "uid": n or null} | {"limited": pid} | {"struck": pid, "memory": n, "processes": n}
    | {"ended": pid, "memory": n, "processes": n}
"""
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile

# It runs isolated, so that nobody else's modules come first.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import das_cgroups
import das_locks


class Accounts:
    """User ids that no other warden of this machine has in use: each is a locked file, free again when its holder dies."""

    def __init__(self, base, count):
        self._range = range(base, base + count)
        self._held = {}

    def claim(self):
        for uid in self._range:
            if uid not in self._held and self._lock(uid):
                return uid
        return None

    def _path(self, uid):
        return '%s/das-uid-%d.lock' % (das_locks.folder(tempfile.gettempdir()), uid)

    def _lock(self, uid):
        try:
            handle = das_locks.hold(self._path(uid))
        except OSError:
            return False
        if handle is not None:
            self._held[uid] = handle
        return handle is not None

    def adopt(self, uid):
        """An account lent by a warden before this one."""
        if uid not in self._held:
            self._lock(uid)

    def release(self, uid):
        handle = self._held.pop(uid, None)
        if handle is not None:
            das_locks.free(self._path(uid), handle)


class Warden:
    def __init__(self, base, count, scratch):
        self._scratch = scratch
        self._accounts = Accounts(base, count)
        self._watched = {}
        self._cgroups = das_cgroups.find(das_locks.folder(os.path.dirname(scratch)))

    def serve(self):
        answer(self._cgroups.bound())
        for line in sys.stdin:
            request = json.loads(line)
            if 'claim' in request:
                uid = self._accounts.claim() if os.getuid() == 0 else None
                answer({'claimed': request['claim'], 'uid': uid})
            elif 'watch' in request:
                self._watched[request['watch']] = request
                if self._cgroups.add(request['watch'], request['limits']):
                    answer(self._cgroups.bound())
                if request['uid'] is not None:
                    self._accounts.adopt(request['uid'])
            elif 'release' in request:
                self._accounts.release(request['release'])
            elif 'limit' in request:
                self._cgroups.limit(request['limit'], request['limits'])
                answer({'limited': request['limit']})
            elif 'struck' in request:
                answer({'struck': request['struck'], **self._cgroups.struck(request['struck'])})
            elif 'end' in request:
                # What struck is forgotten with the group.
                struck = self._cgroups.struck(request['end'])
                self.end(request['end'])
                answer({'ended': request['end'], **struck})

    def end(self, pid):
        worker = self._watched.pop(pid, None)
        if worker is None:
            return
        kill_group(pid)
        if worker['uid'] is not None:
            kill_account(worker['uid'])
        else:
            kill_marked(worker['mark'])
        self._cgroups.remove(pid)
        shutil.rmtree(worker['folder'], ignore_errors=True)
        if worker['uid'] is not None:
            self._accounts.release(worker['uid'])

    def end_all(self):
        for pid in list(self._watched):
            self.end(pid)
        self._cgroups.close()
        # Folders of workers that were being started, and sockets.
        for name in os.listdir(self._scratch) if os.path.isdir(self._scratch) else ():
            if name.startswith('w-'):
                shutil.rmtree(os.path.join(self._scratch, name), ignore_errors=True)
            elif name.startswith('.n-'):
                with contextlib.suppress(OSError):
                    os.unlink(os.path.join(self._scratch, name))


def answer(value):
    try:
        sys.stdout.write(json.dumps(value) + '\n')
        sys.stdout.flush()
    except OSError:
        pass


def kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def kill_account(uid):
    """A process of that account may signal all others of it, also those that left the worker's process group, and nobody else."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            if os.getuid() == uid != 0:
                os.kill(-1, signal.SIGKILL)
        except OSError:
            pass
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def kill_marked(mark):
    """Without accounts, processes that left the group are known by the mark in the environment they inherited."""
    wanted = ('DAS_WORKER=' + mark).encode()
    for name in os.listdir('/proc') if os.path.isdir('/proc') else ():
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open('/proc/%s/environ' % name, 'rb') as environment:
                if wanted in environment.read().split(b'\0'):
                    os.kill(int(name), signal.SIGKILL)
        except OSError:
            pass


if __name__ == '__main__':
    # Ctrl-C and the end of a service's process group are for the executor; it closes our stdin when it is done.
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    warden = Warden(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
    try:
        warden.serve()
    finally:
        warden.end_all()
