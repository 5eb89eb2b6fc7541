# Run by `python3 -I -X utf8 -c` after install.py as the executor's own account: an interpreter with everything a worker needs, which becomes
# workers by fork. A fork costs 2 ms here; starting an interpreter costs 90, and stalls the executor's own process for 12.
# Inside a room (bubblewrap) each worker gets a keeper, and namespaces of its own; das_worker/keeper.py says how.
#
# Lines of JSON on stdin: {"modules": …, "room": null or {"network": bool, "users": bool, "proc": bool, "shared": paths}} first, then
# {"fork": id, "folder": path, "uid": n or null, "env": {…}, "exec": [file, …] or none, "borrows": bool, "limits": {…}},
# {"bind": folder, "as": "code" or "packages", "of": id} and {"resize": bytes, "of": id} in a room.
# Lines of JSON on stdout: {"forked": id, "pid": n} | {"failed": id, "why": text} | {"exited": pid, "code": n or null, "signal": n or null}
# | {"answered": id, "why": text or null}
# A worker calls back on the socket `path` (argument 1), once for each of its three streams: 32 characters of id, one of the stream.
import ast, asyncio, binascii, contextlib, ctypes, datetime, errno, gc, hashlib, inspect, json, linecache, marshal, os, random, select, signal, socket, struct, sys, traceback, types, zlib

PR_SET_PDEATHSIG = 1
MESSAGE_BYTES_MAX = 16 * 1024


class Plain:
    """Workers as children of their own, seen by the machine as any other process."""

    def __init__(self, das, path):
        self._das, self._path = das, path

    def request(self, request):
        nursery = os.getpid()
        try:
            pid = os.fork()
        except OSError as fault:
            # The machine is short of something: the workers that live are not to end for it.
            return tell({'failed': request['fork'], 'why': str(fault)})
        if pid == 0:
            self._become(request, nursery)
        tell({'forked': request['fork'], 'pid': pid})

    def _become(self, request, nursery):
        birth = self._das.birth
        try:
            os.setsid()
            birth.forget_signals()
            birth.take_streams(birth.call_back(self._path, request['fork']))
            os.chdir(request['folder'])
            birth.take_account(request['uid'])
            birth.live(request, nursery)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(70)

    def handles(self):
        return {}

    def exited(self, pid, end):
        tell({'exited': pid, **end})


class Kept:
    """Workers in a room, each behind its keeper: the keeper's pid stands for all of them."""

    def __init__(self, das, path, room):
        self._das, self._path, self._room = das, path, room
        self._account = (os.getuid(), os.getgid())
        # By pid: (id, our end of the keeper's socket); how the worker ended, once it is said.
        self._keepers = {}
        self._ends = {}
        # Those who have said all: their end is about to be told.
        self._mute = set()

    def request(self, request):
        if 'fork' in request:
            return self._make(request)
        handle = next((handle for name, handle in self._keepers.values() if name == request['of']), None)
        try:
            if handle is None:
                raise OSError(errno.ESRCH, 'the worker has ended')
            os.write(handle, json.dumps({key: value for key, value in request.items() if key != 'of'}).encode())
        except OSError as fault:
            tell({'answered': request['of'], 'why': str(fault)})

    def _make(self, request):
        keeper = self._das.keeper
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Numbers, not objects: a forked process must not close by chance what stands there for it.
        ours, theirs = (end.detach() for end in ends)
        try:
            pid = self._das.native.clone(keeper.namespaces(self._room))
        except OSError as fault:
            os.close(ours)
            os.close(theirs)
            return tell({'failed': request['fork'], 'why': str(fault)})
        if pid == 0:
            keeper.Keeper(request, self._room, theirs, self._account).keep(self._path)
        os.close(theirs)
        os.set_blocking(ours, False)
        self._keepers[pid] = (request['fork'], ours)

    def handles(self):
        return {handle: pid for pid, (_, handle) in self._keepers.items() if pid not in self._mute}

    def hear(self, pid):
        """What the keeper says now. False when there is nothing more."""
        name, handle = self._keepers[pid]
        try:
            message = os.read(handle, MESSAGE_BYTES_MAX)
        except BlockingIOError:
            return False
        except OSError:
            message = b''
        if not message:
            self._mute.add(pid)
            return False
        said = json.loads(message)
        if 'ready' in said:
            tell({'forked': name, 'pid': pid})
        elif 'failed' in said:
            tell({'failed': name, 'why': said['failed']})
        elif 'answer' in said:
            tell({'answered': name, 'why': said['answer']})
        else:
            self._ends[pid] = said['ended']
        return True

    def exited(self, pid, end):
        if pid not in self._keepers:
            return
        while self.hear(pid):
            pass
        os.close(self._keepers.pop(pid)[1])
        self._mute.discard(pid)
        tell({'exited': pid, **self._ends.pop(pid, end)})


def reap(workers):
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        killed = os.WIFSIGNALED(status)
        workers.exited(pid, {'code': None if killed else os.WEXITSTATUS(status), 'signal': os.WTERMSIG(status) if killed else None})


def tell(message):
    left = (json.dumps(message) + '\n').encode()
    while left:
        left = left[os.write(1, left):]


def begin(request, path):
    das = install(request['modules'], compiled)
    gc.collect()
    gc.freeze()
    return Kept(das, path, request['room']) if request['room'] else Plain(das, path)


def serve(path):
    """Ends when the executor is gone: its end of our stdin is closed then."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    rest, workers = b'', None
    while True:
        keepers = workers.handles() if workers else {}
        readable, _, _ = select.select([0, awake, *keepers], [], [])
        for handle in readable:
            if handle in keepers:
                workers.hear(keepers[handle])
        if awake in readable:
            os.read(awake, 4096)
            reap(workers)
        if 0 not in readable:
            continue
        piece = os.read(0, 1 << 20)
        if not piece:
            return
        *whole, rest = (rest + piece).split(b'\n')
        for request in map(json.loads, whole):
            if workers is None:
                workers = begin(request, path)
            else:
                workers.request(request)


serve(sys.argv[1])
