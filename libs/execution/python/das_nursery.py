# Run by `python3 -I -X utf8 -c` as the executor's own account: an interpreter with everything a worker needs, which becomes
# workers by fork. A fork costs 2 ms here; starting an interpreter costs 90, and stalls the executor's own process for 12.
#
# Lines of JSON on stdin: {"modules": …} first, then {"fork": id, "folder": path, "uid": n or null, "env": {…}}
# Lines of JSON on stdout: {"forked": id, "pid": n} | {"failed": id, "why": text} | {"exited": pid, "code": n or null, "signal": n or null}
# A worker calls back on the socket `path` (argument 1), once for each of its three streams: 32 characters of id, one of the stream.
import ast, asyncio, binascii, ctypes, datetime, gc, hashlib, inspect, json, linecache, marshal, os, random, select, signal, socket, sys, traceback, types, zlib

STREAMS = (('c', 3), ('o', 1), ('e', 2))
PR_SET_PDEATHSIG, PR_SET_DUMPABLE = 1, 4
prctl = ctypes.CDLL(None, use_errno=True).prctl


def install(modules):
    package = sys.modules['das_worker'] = types.ModuleType('das_worker')
    package.__path__ = []
    for name, code in modules:
        module = types.ModuleType('das_worker.' + name)
        module.__package__ = 'das_worker'
        sys.modules[module.__name__] = module
        setattr(package, name, module)
        exec(marshal.loads(binascii.a2b_base64(code)), module.__dict__)
    return package


def become(request, path, nursery):
    """The child: its own session, streams, folder, account and environment; then a worker like any other."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for handled in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(handled, signal.SIG_DFL)
    called = []
    for kind, _ in STREAMS:
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(path)
        stream.sendall((request['fork'].ljust(32) + kind).encode())
        called.append(os.dup2(stream.detach(), 100 + len(called)))
    os.dup2(os.open('/dev/null', os.O_RDONLY), 0)
    for handle, (_, wanted) in zip(called, STREAMS):
        os.dup2(handle, wanted)
    os.closerange(4, 1024)
    os.chdir(request['folder'])
    if request['uid'] is not None:
        os.setgroups([])
        os.setgid(request['uid'])
        os.setuid(request['uid'])
        # A change of account hides a process from itself: /dev/stdin and the like would be closed to the script.
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
    os.environ.clear()
    os.environ.update(request['env'])
    sys.argv = ['']
    head = json.loads(take(int.from_bytes(take(5)[:4], 'little')))
    sys.modules['das_worker'].main.start({**head, 'parent': nursery})


def take(size):
    taken = b''
    while len(taken) < size:
        piece = os.read(3, size - len(taken))
        if not piece:
            os._exit(70)
        taken += piece
    return taken


def fork(request, path):
    nursery = os.getpid()
    try:
        pid = os.fork()
    except OSError as fault:
        # The machine is short of something: the workers that live are not to end for it.
        return tell({'failed': request['fork'], 'why': str(fault)})
    if pid == 0:
        try:
            become(request, path, nursery)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(70)
    tell({'forked': request['fork'], 'pid': pid})


def reap():
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        killed = os.WIFSIGNALED(status)
        tell({'exited': pid, 'code': None if killed else os.WEXITSTATUS(status), 'signal': os.WTERMSIG(status) if killed else None})


def tell(message):
    left = (json.dumps(message) + '\n').encode()
    while left:
        left = left[os.write(1, left):]


def lines():
    """Requests, one by one; between them children are reaped. Ends when the executor is gone."""
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    rest = b''
    while True:
        readable, _, _ = select.select([0, awake], [], [])
        if awake in readable:
            os.read(awake, 4096)
            reap()
        if 0 not in readable:
            continue
        piece = os.read(0, 1 << 20)
        if not piece:
            return
        *whole, rest = (rest + piece).split(b'\n')
        yield from map(json.loads, whole)


def serve(path, executor):
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != executor:
        return
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    for request in lines():
        if 'modules' in request:
            install(request['modules'])
            gc.collect()
            gc.freeze()
        else:
            fork(request, path)


serve(sys.argv[1], int(sys.argv[2]))
