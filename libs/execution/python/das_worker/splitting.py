"""`split`: yields the items, sent as numbered blocks; a later attempt reproduces the blocks that are stored and goes on after them."""
import hashlib
from time import monotonic

from .channel import Closed
from .encode import encode, to_bytes
from .steps import call_with_params

BLOCK_BYTES = 256 * 1024
BLOCK_ITEMS_MAX = 65_536
ITEM_BYTES_MAX = 1024 * 1024 - 1024
FLUSH_S = 0.2


class Differs(Exception):
    """The items are not those that an earlier attempt yielded."""


class Blocks:
    """Cuts items into blocks: first along the stored ones, then by size and time."""

    def __init__(self, channel, stored):
        self._channel = channel
        self._stored = stored
        self._no = 0
        self._first = 0
        self._lines = []
        self._size = 0
        self._owed = False
        self._flushed_at = monotonic()

    @property
    def items(self):
        return self._first + len(self._lines)

    def add(self, line):
        if len(line) > ITEM_BYTES_MAX:
            raise ValueError('item %d has %d bytes; the limit is %d' % (self.items, len(line), ITEM_BYTES_MAX))
        if self._no < len(self._stored):
            self._lines.append(line)
            if len(self._lines) == self._stored[self._no]['to'] - self._stored[self._no]['from']:
                self._compare()
            return
        if self._lines and self._size + len(line) >= BLOCK_BYTES:
            self._send()
        self._lines.append(line)
        self._size += len(line) + 1
        if len(self._lines) >= BLOCK_ITEMS_MAX or monotonic() - self._flushed_at >= FLUSH_S:
            self._send()

    def _take(self):
        raw = b'\n'.join(self._lines) + b'\n'
        head = {
            'no': self._no,
            'from': self._first,
            'to': self._first + len(self._lines),
            'digest': hashlib.sha256(raw).hexdigest(),
        }
        self._no += 1
        self._first = head['to']
        self._lines = []
        self._size = 0
        self._flushed_at = monotonic()
        return head, raw

    def _compare(self):
        stored = self._stored[self._no]
        head, _ = self._take()
        if head['digest'] != stored['digest']:
            raise Differs('items %d to %d are not those that an earlier attempt yielded' % (head['from'], head['to'] - 1))

    def _send(self):
        head, raw = self._take()
        self._await_stored()
        self._channel.send_raw('K', head, raw)
        self._owed = True

    def _await_stored(self):
        """One block on its way at a time: the script goes no faster than the store."""
        if self._owed:
            kind, _ = self._channel.read()
            if kind != 'A':
                raise Closed
            self._owed = False

    def finish(self):
        if self._no < len(self._stored):
            raise Differs('only %d items were yielded; an earlier attempt yielded more' % self.items)
        if self._lines:
            self._send()
        self._await_stored()


def split(channel, script, state):
    """Runs `split` to its end. Returns the number of items."""
    blocks = Blocks(channel, stored_blocks(channel))
    items = call_with_params(script, 'split', script.functions['split'])
    if not hasattr(items, '__iter__') and not hasattr(items, '__aiter__'):
        raise TypeError('split must yield or return items; it gave %s' % type(items).__name__)
    for item in script.each(items):
        state.advance()
        blocks.add(to_bytes(encode(item)))
    blocks.finish()
    return blocks.items


def stored_blocks(channel):
    import json

    heads = []
    while True:
        kind, payload = channel.read()
        if kind == 'E':
            return heads
        heads.extend(json.loads(payload))
