"""Lines kept in files of the worker's own folder, to be read as often as wanted: results may be larger than memory."""
import heapq
import os

from .encode import decode_lines
from .keys import order

# Below RLIMIT_FSIZE.
FILE_BYTES = 512 * 1024 * 1024
READ_BYTES = 256 * 1024
# While many sources are merged, each has a smaller buffer.
MERGE_READ_BYTES = 32 * 1024


class Spool:
    """Bytes by source (a bucket; 0 where there is only one), in the order they came."""

    def __init__(self):
        self._files = []
        self._size = 0
        self._extents = {}
        self.lines = 0

    def add(self, source, raw):
        if not self._files or self._size + len(raw) > FILE_BYTES:
            self._open()
        view = memoryview(raw)
        while view:
            view = view[os.write(self._files[-1], view):]
        self._note(source, len(raw))
        self.lines += raw.count(b'\n')

    def _open(self):
        name = '.das-spool-%d' % len(self._files)
        handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        # Nobody else needs the name, and nothing is left when the worker dies.
        os.unlink(name)
        self._files.append(handle)
        self._size = 0

    def _note(self, source, length):
        extents = self._extents.setdefault(source, [])
        file = len(self._files) - 1
        if extents and extents[-1][0] == file and extents[-1][1] + extents[-1][2] == self._size:
            extents[-1][2] += length
        else:
            extents.append([file, self._size, length])
        self._size += length

    @property
    def sources(self):
        return sorted(self._extents)

    def blocks(self, source, read_bytes=READ_BYTES):
        """Whole lines of a source, block by block."""
        rest = b''
        for file, start, length in self._extents.get(source, ()):
            end = start + length
            while start < end:
                piece = os.pread(self._files[file], min(read_bytes, end - start), start)
                start += len(piece)
                cut = piece.rfind(b'\n') + 1
                if cut == 0:
                    rest += piece
                    continue
                yield rest + piece[:cut]
                rest = piece[cut:]
        if rest:
            yield rest + b'\n'

    def raw_lines(self, source):
        for block in self.blocks(source, MERGE_READ_BYTES):
            yield from block[:-1].split(b'\n')

    def close(self):
        for handle in self._files:
            os.close(handle)
        self._files = []


def merged(spool):
    """`{"key","value"}` lines of all buckets in key order; each bucket is in order by itself.

    Yields (order of the key, line, parsed line).
    """
    return heapq.merge(*[ordered(spool, source) for source in spool.sources], key=lambda entry: entry[0])


def ordered(spool, source):
    for block in spool.blocks(source, MERGE_READ_BYTES):
        for line, parsed in zip(block[:-1].split(b'\n'), decode_lines(block)):
            yield order(parsed['key']), line, parsed


class Results:
    """What `gather` gets: iterates as often as wanted, knows its length, never sits in memory as a whole."""

    def __init__(self, spool, keyed):
        self._spool = spool
        self._keyed = keyed

    def __len__(self):
        return self._spool.lines

    def __iter__(self):
        if self._keyed:
            for _, _, parsed in merged(self._spool):
                yield parsed
            return
        for source in self._spool.sources:
            for block in self._spool.blocks(source):
                yield from decode_lines(block)
