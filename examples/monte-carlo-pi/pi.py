"""Estimate pi by throwing darts: the smallest job that keeps every core busy.

Items are integers (`--range 0:1000`); each is the seed of its own random numbers, so an item gives the
same result on whichever node it runs, and however often.
"""

import math
import random

SAMPLES = 100_000


def map(seed, params):
    """Throw `samples` darts at the unit square and count those inside the quarter circle."""
    samples = int(params.get("samples", SAMPLES))
    dart = random.Random(seed).random
    hits = sum(dart() ** 2 + dart() ** 2 < 1 for _ in range(samples))
    return {"hits": hits, "samples": samples}


def gather(results):
    """The share of hits is pi/4; `error` is one standard deviation of the estimate."""
    hits = samples = 0
    for result in results:
        hits += result["hits"]
        samples += result["samples"]
    if samples == 0:
        return {"pi": None, "error": None, "samples": 0}
    share = hits / samples
    return {"pi": 4 * share, "error": 4 * math.sqrt(share * (1 - share) / samples), "samples": samples}
