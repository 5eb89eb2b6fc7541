"""The peer: multiprocessing.Pool on the same cores, with its best chunk size. Prints the wall time in ms."""
import sys
import time
from multiprocessing import Pool

MS, ITEMS, PROCESSES, CHUNK = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
clock = time.thread_time


def work(item):
    if MS > 0:
        end = clock() + MS / 1000
        while clock() < end:
            pass
    return item


if __name__ == "__main__":
    with Pool(PROCESSES) as pool:
        pool.map(work, range(PROCESSES))  # the processes are up before the clock starts
        begin = time.perf_counter()
        results = pool.map(work, range(ITEMS), chunksize=CHUNK)
        wall = time.perf_counter() - begin
    assert results == list(range(ITEMS))
    print(wall * 1000)
