"""
Outlives the executor by a moment: when the executor is gone, even by SIGKILL, everything that its workers started ends and their
folders go. Also ends single workers for it, and lends accounts so that no two workers of this machine share one.

Lines of JSON on stdin: {"claim": id} | {"watch": pid, "uid": n, "folder": path, "mark": text} | {"end": pid} | {"release": uid}
Lines of JSON on stdout: {"claimed": id, "uid": n or null} | {"ended": pid}
"""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import tempfile

LOCKS = '/run' if os.access('/run', os.W_OK) else tempfile.gettempdir()


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
        return '%s/das-uid-%d.lock' % (LOCKS, uid)

    def _lock(self, uid):
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            handle = os.open(self._path(uid), flags, 0o600)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have removed the file between our two calls.
            if os.fstat(handle).st_ino == os.stat(self._path(uid)).st_ino:
                self._held[uid] = handle
                return True
        except OSError:
            pass
        os.close(handle)
        return False

    def adopt(self, uid):
        """An account lent by a warden before this one."""
        if uid not in self._held:
            self._lock(uid)

    def release(self, uid):
        handle = self._held.pop(uid, None)
        if handle is not None:
            os.unlink(self._path(uid))
            os.close(handle)


class Warden:
    def __init__(self, base, count, scratch):
        self._scratch = scratch
        self._accounts = Accounts(base, count)
        self._watched = {}

    def serve(self):
        for line in sys.stdin:
            request = json.loads(line)
            if 'claim' in request:
                uid = self._accounts.claim() if os.getuid() == 0 else None
                answer({'claimed': request['claim'], 'uid': uid})
            elif 'watch' in request:
                self._watched[request['watch']] = request
                if request['uid'] is not None:
                    self._accounts.adopt(request['uid'])
            elif 'release' in request:
                self._accounts.release(request['release'])
            elif 'end' in request:
                self.end(request['end'])
                answer({'ended': request['end']})

    def end(self, pid):
        worker = self._watched.pop(pid, None)
        if worker is None:
            return
        kill_group(pid)
        if worker['uid'] is not None:
            kill_account(worker['uid'])
        else:
            kill_marked(worker['mark'])
        shutil.rmtree(worker['folder'], ignore_errors=True)
        if worker['uid'] is not None:
            self._accounts.release(worker['uid'])

    def end_all(self):
        for pid in list(self._watched):
            self.end(pid)
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
