"""A part's items as a command gets them: text as it is, any other value as compact JSON."""
import json

from . import failures
from .channel import U32
from .encode import decode_lines, encode, to_bytes

# Integers that are made ahead.
AHEAD = 4_096


class Refused:
    """An item that no command gets, and why."""

    def __init__(self, failure, text):
        self.failure = failure
        self.text = text


class Items:
    """Items from `at` on: those that are read and not yet done. `as_json`: text is encoded, too."""

    def __init__(self, channel, head, as_json):
        self.channel, self.as_json = channel, as_json
        self.at, self.to, self.base = head['from'], head['to'], head.get('base')
        self._read = []
        self._gone = 0

    def get(self, number):
        """bytes, or Refused. Waits for items that are on their way."""
        while number - self.at >= len(self._read) - self._gone:
            self._more()
        return self._read[number - self.at + self._gone]

    def done(self, number):
        """All before that number are done."""
        self._gone += number - self.at
        self.at = number
        if self._gone > 1_024:
            del self._read[: self._gone]
            self._gone = 0

    def _more(self):
        if self.base is not None:
            start = self.at + len(self._read) - self._gone
            stop = min(self.to, start + AHEAD)
            self._read.extend(str(number).encode() for number in range(self.base + start, self.base + stop))
            return
        kind, payload = self.channel.read()
        if kind == 'D':
            self._page(U32.unpack_from(payload)[0], payload[4:])

    def _page(self, count, block):
        lines = block[:-1].split(b'\n') if count else []
        try:
            values = decode_lines(block)
        except (ValueError, RecursionError, MemoryError):
            values = ()
        if len(values) == count:
            self._read.extend(map(self._text, values, lines))
        else:
            self._read.extend(map(self._parsed, lines))

    def _parsed(self, line):
        try:
            [value] = decode_lines(line)
            return self._text(value, line)
        except (ValueError, RecursionError, MemoryError) as thrown:
            why = 'the item is not JSON: %s' % thrown
            return Refused(failures.describe(thrown, why, with_traceback=False), line[:1000])

    def _text(self, value, line):
        if isinstance(value, str):
            if not self.as_json:
                return to_text(value)
        elif type(value) in (int, float, bool):
            return line.strip()
        return to_bytes(encode(value))


def to_text(value):
    try:
        return value.encode()
    except UnicodeEncodeError:
        why = 'the item has a lone surrogate, which is no text; send items to the command as JSON (--items-as json)'
        return Refused({'message': why}, to_bytes(encode(value)))


class NotAResult(ValueError):
    """What the command gave is no result."""


def result_of(text, as_json):
    """A line of the result, as JSON. Raises NotAResult."""
    try:
        words = text.decode()
    except UnicodeDecodeError as fault:
        raise NotAResult('the command gave bytes that are not UTF-8 (0x%02x at %d)' % (text[fault.start], fault.start)) from None
    if not as_json:
        return to_bytes(encode(words))
    try:
        value = json.loads(words, parse_constant=_no_constant)
    except (ValueError, RecursionError, MemoryError) as thrown:
        told = 'nested too deeply' if isinstance(thrown, RecursionError) else thrown
        raise NotAResult('the command gave what is not JSON: %s' % told) from None
    return text.strip() if b'\n' not in text.strip() else to_bytes(encode(value))


def _no_constant(name):
    raise ValueError('%s, which JSON does not have' % name)
