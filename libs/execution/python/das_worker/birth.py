"""What a forked process does to become a worker: its streams, its account, its environment; then it is a worker like any other, or another program."""
import json
import os
import signal
import socket
import sys

from . import limits, native

STREAMS = (('c', 3), ('o', 1), ('e', 2))
# Files beyond these are nobody's: the process that we came from has few.
FILES_MAX = 4096
HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def forget_signals():
    signal.set_wakeup_fd(-1)
    for handled in HANDLED:
        signal.signal(handled, signal.SIG_DFL)


def call_back(path, name):
    """Opens the worker's streams back to the executor."""
    called = []
    for kind, _ in STREAMS:
        stream = socket.socket(socket.AF_UNIX)
        stream.connect(path)
        stream.sendall((name.ljust(32) + kind).encode())
        called.append(stream.detach())
    return called


def take_streams(called, more=()):
    """Puts the streams, and `more` after them, where a worker expects them; whatever else was open is closed."""
    wanted = [number for _, number in STREAMS] + list(range(4, 4 + len(more)))
    # Out of the way first: one may stand where another belongs.
    high = [os.dup2(handle, 100 + place) for place, handle in enumerate((*called, *more))]
    os.dup2(os.open('/dev/null', os.O_RDONLY), 0)
    for handle, number in zip(high, wanted):
        os.dup2(handle, number, inheritable=number < 4)
    os.closerange(4 + len(more), FILES_MAX)


def take_account(uid):
    if uid is not None:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
    # A change of account hides a process from itself: /dev/stdin and the like would be closed to the script.
    native.prctl(native.PR_SET_DUMPABLE, 1)


def live(request, parent, counted_alone=False):
    """Never returns. `counted_alone`: no processes of others are counted with those of the worker, though it has no account of its own."""
    os.environ.clear()
    os.environ.update(request['env'])
    if request.get('exec'):
        limits.confine(request['limits'])
        limits.become(request['exec'], request['env'])
    sys.argv = ['']
    head = json.loads(take(int.from_bytes(take(5)[:4], 'little')))
    sys.modules['das_worker'].main.start({**head, 'parent': parent, 'ownAccount': head['ownAccount'] or counted_alone})


def take(size):
    taken = b''
    while len(taken) < size:
        piece = os.read(3, size - len(taken))
        if not piece:
            os._exit(70)
        taken += piece
    return taken
