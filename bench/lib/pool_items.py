"""
The peer of bench/workers.mjs: a bare multiprocessing.Pool with one process. Items are bytes that stay as they are, or JSON that the process
reads and writes. Prints what a part of one item takes (ms), and what an item of a large part takes (µs).
"""
import json
import statistics
import sys
import time
from multiprocessing import Pool

PARTS, CHUNK, CHUNKS = (int(word) for word in sys.argv[1:])


def plain(item):
    return item


def by_json(item):
    return json.dumps(json.loads(item)).encode()


def item(number):
    return json.dumps({'n': number, 'pad': 'x' * (100 - len('{"n": , "pad": ""}') - len(str(number)))}).encode()


def timed(pool, work, items, chunk):
    begin = time.perf_counter()
    results = pool.map(work, items, chunksize=chunk)
    wall = time.perf_counter() - begin
    assert results == items
    return wall


if __name__ == '__main__':
    items = [item(number) for number in range(CHUNK)] * CHUNKS
    figures = {}
    with Pool(1) as pool:
        for name, work in (('plain', plain), ('json', by_json)):
            timed(pool, work, items[:CHUNK], CHUNK)
            parts = [timed(pool, work, items[:1], 1) for _ in range(PARTS)]
            wall = timed(pool, work, items, CHUNK)
            figures[name] = {'partMs': statistics.median(parts) * 1e3, 'itemUs': wall / len(items) * 1e6}
    print(json.dumps(figures))
