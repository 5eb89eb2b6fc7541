"""Word count: which word occurs how often in a folder of texts?

The textbook MapReduce. Every file is one item; `map` counts within the file, `combine` adds up on the
machine that mapped, `reduce` adds up over all machines. A word is a run of ASCII letters, lower-cased:
exactly what `tr -cs A-Za-z '\\n' | tr A-Z a-z | sort | uniq -c` counts.
"""

import base64
import re
from collections import Counter

WORD = re.compile("[A-Za-z]+")


def map(item):
    """One file, {"name", "text"}, to its (word, count) pairs."""
    # First find, then lower: str.lower() turns a few foreign characters (the Kelvin sign) into ASCII letters.
    yield from Counter(word.lower() for word in WORD.findall(text_of(item))).items()


def combine(word, counts):
    """On the mapping node: fewer pairs travel."""
    return sum(counts)


def reduce(word, counts):
    """Everything that was counted for one word, from all nodes."""
    return sum(counts)


def text_of(item):
    """A file that is not UTF-8 arrives as base64; its ASCII letters count all the same."""
    return item["text"] if "text" in item else base64.b64decode(item["base64"]).decode("latin-1")
