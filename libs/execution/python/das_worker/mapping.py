"""`map` over a part's items: results in order, one failure per bad item, the rest of the part given back after too many."""
import types
from time import monotonic

from . import failures
from .channel import U32, Closed
from .encode import check_result, chunks, decode_lines, forget_failed, most_of_result, to_bytes, why_not_json
from .pairs import Pairs, PairsFault

FAILURES_MAX = 20
FLUSH_BYTES = 64 * 1024
FLUSH_S = 0.05
# Pairs that are combined wait longer: the more there are, the better they combine.
FLUSH_PAIRS_S = 1.0
# A result this long travels alone, so that no other waits for it.
LONG_CHARS = 256 * 1024
# The clock is asked after so many items at most.
STRIDE_MAX = 256
GENERATOR = types.GeneratorType
ASYNC_GENERATOR = types.AsyncGeneratorType


class Full(Exception):
    """So many items failed that the rest of the part is given back."""


class Mapper:
    """One part. The frames it sends cover the items in order: `O` and `Q` (results), `F` (a failed item)."""

    def __init__(self, channel, script, state, head):
        self.channel = channel
        self.script = script
        self.view = state.view
        self.to = head['to']
        self.at = self.sent = head['from']
        self.failed = 0
        self.call = script.caller('map', 1)
        self.pairs = Pairs(script, head['buckets']) if head['buckets'] else None
        self.lines = []
        self.size = 0
        # A character has up to four bytes; what has fewer characters than that cannot be too large.
        self.long = min(LONG_CHARS, most_of_result() // 4)
        self.stride = 1
        self.flushed_at = self.asked_at = monotonic()

    def run_range(self, base):
        self._map(range(base + self.at, base + self.to))

    def run_block(self, count, block):
        """The next `count` items as NDJSON."""
        try:
            items = decode_lines(block)
        except (ValueError, RecursionError, MemoryError):
            items = None
        if items is not None and len(items) == count:
            return self._map(items)
        # Only a block with a bad item is parsed line by line, to name it.
        for line in block[:-1].split(b'\n') if count else ():
            self._map_line(line)

    def _map_line(self, line):
        self.view[0] = self.at
        try:
            [item] = decode_lines(line)
        except (ValueError, RecursionError, MemoryError) as thrown:
            failure = failures.describe(thrown, 'the item is not JSON: %s' % thrown, with_traceback=False)
            self._fail_with(failure, line[:1000].decode('utf-8', 'replace'))
            return
        self._map((item,))

    def _map(self, items):
        if self.pairs is not None:
            return self._map_pairs(items)
        view, call, add, join, encode = self.view, self.call, self.lines.append, ''.join, chunks
        at, size, left, long = self.at, self.size, self.stride, self.long
        for item in items:
            view[0] = at
            try:
                value = call(item)
                kind = type(value)
                if kind is GENERATOR or kind is ASYNC_GENERATOR:
                    value = self.script.drain(value)
                line = join(encode(value, 0))
                length = len(line)
                if length > long:
                    self.at, self.size = at, size
                    self._send_long(line)
                    at, size = self.at, 0
                    continue
            except BaseException as thrown:
                self.at, self.size = at, size
                self._fail(thrown, item)
                at, size = self.at, 0
                continue
            add(line)
            at += 1
            size += length
            left -= 1
            if left <= 0 or size >= FLUSH_BYTES:
                self.at, self.size = at, size
                if size >= FLUSH_BYTES or self._due(FLUSH_S):
                    self.flush()
                    size = 0
                left = self.stride
        self.at, self.size = at, size

    def _map_pairs(self, items):
        pairs, call = self.pairs, self.call
        every = FLUSH_PAIRS_S if pairs.combines else FLUSH_S
        left = self.stride
        for item in items:
            self.view[0] = self.at
            try:
                pairs.add(call(item))
            except BaseException as thrown:
                self._fail(thrown, item)
                continue
            self.at += 1
            left -= 1
            if left <= 0 or pairs.full:
                if pairs.full or self._due(every):
                    self.flush()
                left = self.stride

    def _due(self, every):
        """Whether it is time to send; also learns after how many items to ask again."""
        now = monotonic()
        passed = now - self.asked_at
        self.asked_at = now
        if passed < 0.001:
            self.stride = min(STRIDE_MAX, self.stride * 2)
        elif passed > 0.02:
            self.stride = 1
        if now - self.flushed_at < every:
            return False
        self.flushed_at = now
        return True

    def flush(self):
        """Sends what is finished: from then on it outlives this process."""
        if self.at == self.sent:
            return
        if self.pairs is None:
            self.lines.append('')
            body = to_bytes('\n'.join(self.lines))
            self.lines.clear()
            self.channel.send('O', U32.pack(self.at - self.sent), body)
        else:
            self._flush_pairs()
        self.size = 0
        self.sent = self.at

    def _flush_pairs(self):
        try:
            parts = self.pairs.take()
        except PairsFault as fault:
            # `combine` failed for items together; the first stands for them and the others are tried again.
            self._tell(self.sent, describe(fault.cause), None)
            self.sent = self.at = self.sent + 1
            raise Full from None
        head = {'items': self.at - self.sent, 'buckets': [[bucket, len(raw)] for bucket, raw in parts]}
        self.channel.send_raw('Q', head, *[raw for _, raw in parts])

    def _send_long(self, line):
        raw = to_bytes(line)
        check_result(len(raw))
        self.flush()
        self.at += 1
        self.channel.send('O', U32.pack(1), raw, b'\n')
        self.sent = self.at

    def _fail(self, thrown, item):
        if isinstance(thrown, Closed):
            raise thrown
        forget_failed()
        self._fail_with(describe(thrown), text_of(item))

    def _fail_with(self, failure, text):
        self.flush()
        self._tell(self.at, failure, text)
        self.at += 1
        self.sent = self.at
        if self.failed >= FAILURES_MAX:
            raise Full

    def _tell(self, item, failure, text):
        failure['item'] = item
        if failure.get('code') == 'ITEM_LIMIT':
            failure['message'] = 'item %d: %s' % (item, failure['message'])
        if text is not None:
            failure['itemText'] = failures.scrub(failures.short(text, failures.ITEM_CHARS))
        self.channel.send_json('F', failure)
        self.failed += 1


def describe(thrown):
    """What the script raised, or why its result cannot be told: that has no frame of the script."""
    if isinstance(thrown, failures.Limit):
        return failures.describe(thrown, with_traceback=False)
    if failures.frames_of(thrown) is None and isinstance(thrown, (TypeError, ValueError)):
        return failures.describe(thrown, why_not_json(thrown), with_traceback=False)
    return failures.describe(thrown)


def text_of(item):
    try:
        return ''.join(chunks(item, 0))
    except BaseException:
        forget_failed()
        return failures.repr_of(item)
