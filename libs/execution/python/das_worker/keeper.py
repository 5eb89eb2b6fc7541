"""
The first process of one worker's namespaces. It makes the cell, forks the worker, and serves it until it ends; then the kernel ends whatever the worker
started. It stays trusted: of another account, or hidden from the worker's, which cannot signal the first process of its namespace.

Over its socket, messages of JSON. From the nursery: {"bind": folder, "as": "code" or "packages"} | {"resize": bytes}. To it: {"ready": true} | {"failed": text} |
{"answer": text or null} | {"ended": {"code": n or null, "signal": n or null}}.
"""
import contextlib
import json
import os
import select
import signal
import socket

from . import birth, limits, native, seccomp, spool
from .cell import SCRATCH, Cell, map_account

MESSAGE_BYTES_MAX = 16 * 1024
FIRST = 1
CONTROL = 3


def namespaces(room):
    users = native.CLONE_NEWUSER if room['users'] else 0
    net = 0 if room['network'] else native.CLONE_NEWNET
    return native.CLONE_NEWPID | native.CLONE_NEWNS | native.CLONE_NEWIPC | net | users


class Keeper:
    def __init__(self, request, room, control, account):
        self._request = request
        self._room = room
        self._handle = control
        self._control = None
        self._own = account
        uid = request['uid']
        self._cell = Cell(request, room, *(account if uid is None else (uid, uid)))
        self._worker = None
        self._spool = None
        self._files = 0

    def keep(self, path):
        """Never returns in the keeper, nor in the worker."""
        try:
            self._start(path)
        except BaseException as fault:
            self._tell({'failed': 'its sandbox cannot be made: %s' % fault})
            os._exit(70)
        self._tell({'ready': True})
        self._serve()

    def _start(self, path):
        os.setsid()
        birth.forget_signals()
        self._leave_nursery()
        native.prctl(native.PR_SET_PDEATHSIG, signal.SIGKILL)
        if self._room['users']:
            map_account(*self._own)
        native.prctl(native.PR_SET_DUMPABLE, 0)
        called = birth.call_back(path, self._request['fork'])
        os.chdir('/')
        self._cell.furnish()
        self._spool, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._worker = os.fork()
        if self._worker == 0:
            self._be_worker(called, theirs)
        theirs.close()
        for handle in called:
            os.close(handle)

    def _leave_nursery(self):
        """Its own streams, and its ends of other keepers' sockets, which would not hear of its death."""
        nothing = os.open('/dev/null', os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        os.dup2(self._handle, CONTROL)
        os.closerange(CONTROL + 1, birth.FILES_MAX)
        self._control = socket.socket(fileno=CONTROL)

    def _be_worker(self, called, files):
        try:
            os.setsid()
            birth.take_streams(called, (files.detach(),))
            os.chdir(SCRATCH)
            birth.take_account(self._request['uid'])
            native.prctl(native.PR_SET_NO_NEW_PRIVS, 1)
            native.drop_capabilities()
            seccomp.apply(self._room['network'])
            os.set_inheritable(spool.KEEPER, bool(self._request.get('borrows')))
            birth.live(self._request, FIRST, self._room['users'] and limits.namespaces_are_counted())
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(70)

    def _serve(self):
        awake, wake = os.pipe()
        for end in (awake, wake):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._ask_to_end)
        signal.set_wakeup_fd(wake)
        # The worker may have ended before its end could wake us.
        self._reap()
        while True:
            readable, _, _ = select.select([self._control, awake, *([self._spool] if self._spool else [])], [], [])
            if awake in readable:
                os.read(awake, 4096)
                self._reap()
            if self._control in readable:
                self._hear()
            if self._spool in readable:
                self._lend()

    def _hear(self):
        message = self._control.recv(MESSAGE_BYTES_MAX)
        if not message:
            # The nursery is gone: nobody waits for this worker.
            os._exit(70)
        request = json.loads(message)
        try:
            if 'bind' in request:
                self._cell.bind(request['bind'], request['as'])
            else:
                self._cell.resize(request['resize'])
            self._tell({'answer': None})
        except OSError as fault:
            self._tell({'answer': str(fault)})

    def _lend(self):
        """A file on disk for results that are larger than memory; so many, and no more."""
        try:
            asked = self._spool.recv(1)
            if asked and self._files < spool.FILES_MAX:
                handle = spool.own_file(self._files, self._cell.folder)
                self._files += 1
                try:
                    socket.send_fds(self._spool, [b'.'], [handle], socket.MSG_DONTWAIT)
                finally:
                    os.close(handle)
                return
        except OSError:
            # It does not listen, or the disk is full.
            pass
        self._spool.close()
        self._spool = None

    def _ask_to_end(self, *_):
        with contextlib.suppress(OSError):
            os.killpg(self._worker, signal.SIGTERM)

    def _reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                os._exit(70)
            if pid == 0:
                return
            if pid == self._worker:
                self._tell({'ended': end_of(status)})
                os._exit(0)

    def _tell(self, message):
        with contextlib.suppress(OSError):
            os.write(self._handle if self._control is None else CONTROL, json.dumps(message).encode())


def end_of(status):
    killed = os.WIFSIGNALED(status)
    return {'code': None if killed else os.WEXITSTATUS(status), 'signal': os.WTERMSIG(status) if killed else None}
