"""Items as lines to one process after the other. When one fails, the item that it was at is given to a process alone, and so named."""
from collections import deque

from .encode import check_result
from .failures import Limit, scrub
from .items import Refused
from .mapping import FLUSH_S

# Input of one process: it may want to read all of it before it writes.
BATCH_BYTES = 8 * 1024 * 1024
PIECE = 64 * 1024
# Output that may come before its items were given.
AHEAD_BYTES = 1024 * 1024
TICK_MS = int(FLUSH_S * 1000)
NO_LINE = {
    'code': 'COMMAND_UNFIT',
    'message': 'the item has a line end, and the command gets a line for each item',
    'hint': 'use --per-item, or --items-as json',
}


LINES_HINT = 'it must write one line for each line it reads; a command that gets one item and writes what it likes: --per-item'


class Hopeless(Exception):
    """No node could run the part."""

    def failure(self):
        message, *hint = map(scrub, self.args)
        return {'code': 'COMMAND_UNFIT', 'message': message, **({'hint': hint[0]} if hint else {})}


class Mismatch(Exception):
    """Not one line for each item."""


class Whole:
    """One item in, all output out."""

    def __init__(self, item):
        self._left = [item + b'\n']
        self._heard, self._size = [], 0

    def source(self):
        return self._left.pop() if self._left else b''

    def hear(self, piece):
        self._heard.append(piece)
        self._size += len(piece)
        check_result(self._size)

    @property
    def text(self):
        text = b''.join(self._heard)
        return text[:-1] if text.endswith(b'\n') else text


class Batches:
    def __init__(self, mapper):
        self._mapper = mapper
        # A process gets at most so many items: fewer and fewer while suspects prove innocent, as those of a command that writes late do.
        self._most = mapper.to
        self._alone = False

    def next(self, item):
        mapper = self._mapper
        if b'\n' in item:
            return mapper.fail(NO_LINE)
        batch = Batch(mapper, 1 if self._alone else self._most)
        failure = batch.run()
        if failure is None:
            self._alone = False
        elif batch.size == 1 or not batch.goes_on:
            mapper.fail(failure)
            self._alone, self._most = False, mapper.to
        else:
            self._alone, self._most = True, max(1, min(self._most, batch.end - mapper.at) // 2)
        mapper.give_back_unless(batch.goes_on)


class Batch:
    """Items [first, end) to one process, which gives exactly one line for each."""

    def __init__(self, mapper, most):
        self._mapper = mapper
        self._first = self.end = mapper.at
        self._limit = min(mapper.to, self._first + most)
        self._given_all = False
        self.goes_on = True
        self._bytes = 0
        # Lines that are whole and not yet told, and the beginning of the next one.
        self._lines, self._ahead = deque(), 0
        self._rest, self._rest_bytes = [], 0
        self._heard = 0

    @property
    def size(self):
        return self.end - self._first

    def run(self):
        """Why it failed; None when each item is told. Raises Hopeless."""
        mapper = self._mapper
        try:
            run = mapper.command.start(self._source, self._hear)
            run.tick, run.tick_ms = mapper.tick, TICK_MS
            run.finish()
            self.goes_on = mapper.command.ended(run)
            if run.exit != 0:
                return mapper.command.failure_of(run)
            if self._rest:
                self._line(b'')
            # It may have ended before it was given all that it has an answer for.
            while self.size <= self._heard and self._source():
                pass
            if not self._given_all or self._heard != self.size:
                raise Mismatch
            self._tell(self.size)
        except Limit as fault:
            # Its line is too long: those before it count.
            self._tell(self.size)
            mapper.refuse(fault)
        except Mismatch:
            return self._mismatched()
        return None

    def _mismatched(self):
        given = self.size if self._given_all else self._limit - self._first
        words = 'the command gave %d line%s for %s' % (
            self._heard,
            '' if self._heard == 1 else 's',
            '1 item' if given == 1 else 'items %d to %d, %d of them' % (self._first, self._first + given - 1, given),
        )
        if given > 1:
            raise Hopeless(words, LINES_HINT)
        self.end = self._first + 1
        return {'code': 'COMMAND_UNFIT', 'message': words, 'hint': LINES_HINT}

    def _source(self):
        """Whole lines of the next items; b'' after the last."""
        lines, size = [], 0
        while size < PIECE and self.end < self._limit and self._bytes < BATCH_BYTES:
            item = self._mapper.items.get(self.end)
            if isinstance(item, Refused) or b'\n' in item:
                break
            lines += (item, b'\n')
            size += len(item) + 1
            self._bytes += len(item) + 1
            self.end += 1
        self._given_all = not lines
        return b''.join(lines)

    def _hear(self, piece):
        *whole, rest = piece.split(b'\n')
        for line in whole:
            self._line(line)
        if rest:
            self._rest.append(rest)
            self._rest_bytes += len(rest)
            check_result(self._rest_bytes)
        if self._heard > self.size and (self._given_all or self._ahead > AHEAD_BYTES):
            raise Mismatch
        self._tell(self.size - 1)

    def _line(self, line):
        if self._rest:
            line = b''.join(self._rest) + line
            self._rest, self._rest_bytes = [], 0
        self._lines.append(line)
        self._ahead += len(line) + 1
        self._heard += 1

    def _tell(self, upto):
        """The last line counts only once the command has ended well: until then it may be that item that it fails at."""
        while self._lines and self._mapper.at - self._first < upto:
            line = self._lines.popleft()
            self._ahead -= len(line) + 1
            self._mapper.result(line)
