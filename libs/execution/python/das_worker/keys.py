"""Keys of `reduce`: their canonical JSON, the bucket they belong to, and their order."""
import zlib

from .encode import encode, to_bytes

EXACT_FLOAT = 1 << 63


def normal(key):
    """The same key in one form: whole floats as integers, tuples as lists. Raises TypeError."""
    kind = type(key)
    if key is None or kind in (str, bool, int):
        return key
    if isinstance(key, float):
        return int(key) if key.is_integer() and abs(key) < EXACT_FLOAT else float(key)
    if isinstance(key, (list, tuple)):
        return [normal(part) for part in key]
    if isinstance(key, str):
        return str(key)
    if isinstance(key, int):
        return int(key)
    raise TypeError('a key must be None, bool, number, str, or a list of these; this one is a %s' % kind.__name__)


def canonical(key):
    return encode(normal(key))


def bucket_of(text, buckets):
    """A hash of ours: Python's own differs from process to process."""
    return zlib.crc32(to_bytes(text)) % buckets


def order(key):
    """null < bool < number < string (by code point) < array."""
    if key is None:
        return (0,)
    if isinstance(key, bool):
        return (1, key)
    if isinstance(key, (int, float)):
        return (2, key)
    if isinstance(key, str):
        return (3, key)
    return (4, [order(part) for part in key])
