"""What `map` yields for `reduce`: (key, value) pairs, combined where the script can, as `[key,value]` lines by bucket."""
from .encode import encode, to_bytes
from .keys import bucket_of, canonical

PAIRS_MAX = 100_000
BYTES_MAX = 256 * 1024
KEYS_CACHED_MAX = 65_536


class PairsFault(Exception):
    """`combine` failed, or gave what is not JSON."""

    def __init__(self, cause):
        super().__init__(str(cause))
        self.cause = cause


class Pairs:
    def __init__(self, script, buckets):
        self.script = script
        self.buckets = buckets
        self.combines = script.has('combine')
        self._combine = script.caller('combine', 2) if self.combines else None
        self._heads = {}
        self._groups = {}
        self._lines = {}
        self._count = 0
        self._bytes = 0

    @property
    def full(self):
        return self._count >= PAIRS_MAX or self._bytes >= BYTES_MAX

    def add(self, produced):
        """All pairs of one item, or none of them: what the script raises on the way leaves nothing behind."""
        if produced is None:
            return
        if isinstance(produced, dict):
            produced = produced.items()
        try:
            pairs = self.script.drain(produced)
        except TypeError:
            if hasattr(produced, '__iter__') or hasattr(produced, '__aiter__'):
                raise
            raise TypeError(wrong(type(produced).__name__)) from None
        if self.combines:
            self._group(pairs)
        else:
            self._write(pairs)
        self._count += len(pairs)

    def _group(self, pairs):
        keyed = [(self._group_key(key), key, value) for key, value in map(checked, pairs)]
        groups = self._groups
        for name, key, value in keyed:
            known = groups.get(name)
            if known is None:
                groups[name] = (key, [value])
            else:
                known[1].append(value)

    def _group_key(self, key):
        """A string is its own name; other keys go by their canonical text, in a tuple, so that 1 and "1" differ."""
        return key if type(key) is str else (canonical(key),)

    def _write(self, pairs):
        lines = []
        for key, value in map(checked, pairs):
            bucket, start = self._head(key)
            lines.append((bucket, start + encode(value) + ']'))
        for bucket, line in lines:
            self._lines.setdefault(bucket, []).append(line)
            self._bytes += len(line)

    def _head(self, key):
        """Bucket and beginning of the line; words repeat, so they are remembered."""
        if type(key) is not str:
            return self._make_head(key)
        head = self._heads.get(key)
        if head is None:
            if len(self._heads) >= KEYS_CACHED_MAX:
                self._heads.clear()
            head = self._heads[key] = self._make_head(key)
        return head

    def _make_head(self, key):
        text = canonical(key)
        return bucket_of(text, self.buckets), '[' + text + ','

    def take(self):
        """[(bucket, NDJSON)] of what was added since. Raises PairsFault."""
        if self.combines:
            self._combine_groups()
        taken = [(bucket, to_bytes('\n'.join(lines)) + b'\n') for bucket, lines in sorted(self._lines.items())]
        self._lines = {}
        self._count = self._bytes = 0
        return taken

    def _combine_groups(self):
        groups, self._groups = self._groups, {}
        try:
            for key, values in groups.values():
                bucket, start = self._head(key)
                line = start + encode(self._combine(key, values)) + ']'
                self._lines.setdefault(bucket, []).append(line)
        except Exception as thrown:
            self._lines = {}
            raise PairsFault(thrown) from None


def checked(pair):
    if isinstance(pair, (tuple, list)) and len(pair) == 2:
        return pair
    raise TypeError(wrong(type(pair).__name__))


def wrong(kind):
    return 'map must yield (key, value) pairs when the script defines reduce; this is a %s' % kind
