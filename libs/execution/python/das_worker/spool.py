"""Lines kept in files, to be read as often as wanted: results may be larger than memory."""
import errno
import heapq
import os
import socket

from .encode import decode_lines
from .keys import order

# Below RLIMIT_FSIZE.
FILE_BYTES = 512 * 1024 * 1024
READ_BYTES = 256 * 1024
# While many sources are merged, each has a smaller buffer.
MERGE_READ_BYTES = 32 * 1024
# Of one worker whose own folder is in memory.
FILES_MAX = 16
# Where a worker in a room finds the keeper that lends it files.
KEEPER = 4


def own_file(number, folder=None):
    """A file of the working folder, or of one by its handle. Nobody needs its name, and nothing is left when the worker dies."""
    name = '.das-spool-%d' % number
    handle = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600, dir_fd=folder)
    os.unlink(name, dir_fd=folder)
    return handle


class KeptFiles:
    """Files on disk that the keeper lends for the worker's life: the folder of a worker in a cell is memory, and small."""

    def __init__(self, handle):
        self._keeper = handle
        self._lent = []

    def __call__(self, number):
        if number == len(self._lent):
            self._lent.append(self._borrow())
        else:
            # What an earlier part left.
            os.ftruncate(self._lent[number], 0)
            os.lseek(self._lent[number], 0, os.SEEK_SET)
        return os.dup(self._lent[number])

    def _borrow(self):
        with socket.socket(fileno=os.dup(self._keeper)) as keeper:
            try:
                keeper.send(b'.')
                _, handles, _, _ = socket.recv_fds(keeper, 1, 1, socket.MSG_CMSG_CLOEXEC)
            except OSError:
                handles = []
        if not handles:
            most = FILES_MAX * FILE_BYTES >> 20
            raise OSError(errno.ENOSPC, 'no room on the disk of the node for the lines of this step (at most %d MiB)' % most)
        return handles[0]


open_file = own_file


def borrow():
    """From now on files are the keeper's. What the worker starts does not get at it."""
    global open_file
    os.set_inheritable(KEEPER, False)
    open_file = KeptFiles(KEEPER)


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
        self._files.append(open_file(len(self._files)))
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
