"""One run of a command: its input, output and errors move at the same time, so that neither side ever waits for the other."""
import os
import select
import signal

PIECE = 64 * 1024
STDERR_TAIL = 4_096
NO_PIDFD_MS = 20
READ = select.POLLIN | select.POLLHUP | select.POLLERR
WRITE = select.POLLOUT | select.POLLERR


class Run:
    """`source()`: the next bytes of input, or b'' at the end. `hear(bytes)`: output; what it raises ends the command. `tick()`: called at least every `tick_ms`, if that is set."""

    def __init__(self, program, argv, env, state, source, hear, log):
        self.source, self.hear, self.log = source, hear, log
        self.state = state
        self.tail = b''
        self.tick, self.tick_ms = None, None
        theirs = self._open(source is not None)
        try:
            self.pid = program.start(argv, theirs, env)
        except BaseException:
            self._close()
            raise
        finally:
            for handle in theirs:
                os.close(handle)
        self.exit = self.usage = None
        self._pidfd = os.pidfd_open(self.pid) if hasattr(os, 'pidfd_open') else None

    def _open(self, has_input):
        if has_input:
            stdin, self._in = os.pipe()
            os.set_blocking(self._in, False)
        else:
            stdin, self._in = os.open('/dev/null', os.O_RDONLY), None
        self._out, stdout = os.pipe()
        self._err, stderr = os.pipe()
        for handle in (self._out, self._err):
            os.set_blocking(handle, False)
        return stdin, stdout, stderr

    def finish(self):
        """Resolves its end: `exit` is its code, or the negative number of the signal; `usage` what it used. Raises what `hear` raises; nothing of it runs on."""
        self.state.command = self.pid
        try:
            self._exchange()
        finally:
            self.state.command = None
            if self.exit is None:
                self._kill()
                self._reap()
            self._close()

    def _exchange(self):
        left = memoryview(b'')
        poll = select.poll()
        for handle in (self._out, self._err, self._pidfd):
            if handle is not None:
                poll.register(handle, READ)
        if self._in is not None:
            poll.register(self._in, WRITE)
        wait = self.tick_ms if self._pidfd is not None else NO_PIDFD_MS
        while self.exit is None:
            ready = dict(poll.poll(wait))
            if self.tick is not None:
                self.tick()
            if self._in in ready:
                left = self._give(left, poll)
            for handle, hear in ((self._out, self.hear), (self._err, self._errors)):
                if handle in ready and not self._take(handle, hear):
                    poll.unregister(handle)
            if (self._pidfd is None or self._pidfd in ready) and self._has_ended():
                # Before it is reaped: until then nobody else can have its number.
                self._kill()
                self._reap()
        # All that it wrote is in the pipes by now; what it left in the background could have held them open for ever.
        for handle, hear in ((self._out, self.hear), (self._err, self._errors)):
            while self._take(handle, hear, until_empty=True):
                pass

    def _give(self, left, poll):
        if not left:
            left = memoryview(self.source())
        if left:
            try:
                left = left[os.write(self._in, left[:PIECE]) :]
                self.state.advance()
                return left
            except BlockingIOError:
                return left
            except BrokenPipeError:
                # It reads no more; what it says and how it ends is what counts.
                pass
        poll.unregister(self._in)
        os.close(self._in)
        self._in = None
        return memoryview(b'')

    def _take(self, handle, hear, until_empty=False):
        """Whether there may be more."""
        try:
            piece = os.read(handle, PIECE)
        except BlockingIOError:
            return not until_empty
        if piece:
            hear(piece)
        return bool(piece)

    def _errors(self, piece):
        self.tail = (self.tail + piece)[-STDERR_TAIL:]
        self.log(piece)

    def _has_ended(self):
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _reap(self):
        _, status, self.usage = os.wait4(self.pid, 0)
        self.exit = os.waitstatus_to_exitcode(status)

    def _kill(self):
        """Its whole process group: what it left in the background goes, too."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def _close(self):
        for handle in (self._in, self._out, self._err, getattr(self, '_pidfd', None)):
            if handle is not None:
                os.close(handle)
        self._in = self._out = self._err = self._pidfd = None

    def last_words(self):
        """The last line of its errors, for people."""
        lines = [line for line in self.tail.decode('utf-8', 'replace').splitlines() if line.strip()]
        return lines[-1].strip()[:500] if lines else ''


def how_it_ended(exit_code):
    if exit_code >= 0:
        return 'ended with exit code %d' % exit_code
    try:
        return 'was killed by %s' % signal.Signals(-exit_code).name
    except ValueError:
        return 'was killed by signal %d' % -exit_code
