"""Frames over file descriptor 3: [u32 length, little endian][one byte: type][payload]. Bounded both ways."""
import os
import select
import struct
from collections import deque

FD = 3
# One result may be 16 MiB; a frame holds it with its header.
FRAME_BYTES_MAX = 17 * 1024 * 1024
HEAD = struct.Struct('<IB')
U32 = struct.Struct('<I')
IOV_MAX = 64


class Closed(BaseException):
    """The executor is gone: there is nobody left to work for."""


class Channel:
    """The way to the executor. Used by one thread, and never by a process that the script forked."""

    def __init__(self):
        os.set_blocking(FD, True)
        self._pid = os.getpid()
        self._input = open(FD, 'rb', buffering=1 << 16, closefd=False)
        # Frames that came while an answer was awaited: at most the items of the part that runs.
        self._ahead = deque()
        self._asked = 0

    def read(self):
        """The next frame: (type, payload). Raises Closed at the end."""
        while True:
            kind, payload = self._ahead.popleft() if self._ahead else self._next()
            # An answer that nobody waits for any more.
            if kind != 'V':
                return kind, payload

    @property
    def ours(self):
        """Whether this is the process that the executor talks to, and not one that the script forked."""
        return os.getpid() == self._pid

    def tell(self, question):
        """Asks without waiting; the answer is dropped. Returns the question's number."""
        self._asked += 1
        self.send_json('C', {'id': self._asked, **question})
        return self._asked

    def ask(self, question):
        """The answer. What the script's signal handlers raise ends the wait and leaves the channel whole."""
        import json

        number = self.tell(question)
        while True:
            if not self._has_input():
                select.select([FD], [], [])
            kind, payload = self._next()
            if kind != 'V':
                self._ahead.append((kind, payload))
                continue
            answer = json.loads(payload)
            if answer['id'] == number:
                return answer

    def _has_input(self):
        os.set_blocking(FD, False)
        try:
            return bool(self._input.peek(1))
        except OSError:
            raise Closed from None
        finally:
            os.set_blocking(FD, True)

    def _next(self):
        try:
            head = self._input.read(HEAD.size)
            if len(head) < HEAD.size:
                raise Closed
            length, kind = HEAD.unpack(head)
            if length > FRAME_BYTES_MAX:
                raise Closed
            payload = self._input.read(length)
        except OSError:
            raise Closed from None
        if len(payload) < length:
            raise Closed
        return chr(kind), payload

    def send(self, kind, *chunks):
        self._write([HEAD.pack(sum(map(len, chunks)), ord(kind)), *chunks])

    def send_json(self, kind, value):
        self.send(kind, dumps(value))

    def send_raw(self, kind, head, *chunks):
        """A JSON head, its length first, then raw bytes."""
        text = dumps(head)
        self.send(kind, U32.pack(len(text)), text, *chunks)

    def _write(self, chunks):
        if os.getpid() != self._pid:
            raise Closed
        try:
            while chunks:
                sent = os.writev(FD, chunks[:IOV_MAX])
                while chunks and sent >= len(chunks[0]):
                    sent -= len(chunks.pop(0))
                if sent:
                    chunks[0] = memoryview(chunks[0])[sent:]
        except OSError:
            raise Closed from None


def dumps(value):
    import json

    return json.dumps(value, separators=(',', ':')).encode()
