"""One measurement of Python's multiprocessing, printed as a line of JSON.

usage: peer.py NAME N, with a NAME of measure_NAME here or in peer_shared.py

N is how much to do. Each measurement warms up first and tells figures: times
in seconds, rates in tasks or items a second.
"""

import multiprocessing
import sys
import time

clock = time.perf_counter


def increment(n):
    return n + 1


def measure_start(n):
    """From making a pool of one spawned worker to its first result."""
    context = multiprocessing.get_context("spawn")
    times = []
    for i in range(n + 1):
        begun = clock()
        pool = context.Pool(1)
        assert pool.apply(increment, (i,)) == i + 1
        times.append(clock() - begun)
        pool.terminate()
        pool.join()
    return {"start": middle(times[1:])}


def measure_apply(pool, n):
    """One call at a time."""
    for i in range(n // 10):
        pool.apply(increment, (i,))
    times = []
    for i in range(n):
        begun = clock()
        out = pool.apply(increment, (i,))
        times.append(clock() - begun)
        assert out == i + 1
    times.sort()
    return {"p50": times[n // 2], "p99": times[n * 99 // 100]}


def measure_async(pool, n):
    """Many calls submitted, then all of their results taken."""
    def once(n):
        begun = clock()
        results = [pool.apply_async(increment, (i,)) for i in range(n)]
        total = sum(r.get() for r in results)
        spent = clock() - begun
        assert total == n * (n + 1) // 2
        return n / spent

    once(n)
    return {"rate": once(n)}


def measure_map(pool, n, chunksize=None):
    """A map over a list of integers."""
    inputs = list(range(n))

    def once(inputs):
        begun = clock()
        outputs = pool.map(increment, inputs, chunksize)
        spent = clock() - begun
        assert len(outputs) == len(inputs) and outputs[-1] == len(inputs)
        return len(inputs) / spent

    once(inputs)
    return {"rate": once(inputs)}


def measure_chunk1(pool, n):
    return measure_map(pool, n, 1)


def measure_floats(pool, n):
    """n float64 as the input of one call that returns their number."""
    import array

    data = array.array("d", [1.0]) * n
    times = []
    for _ in range(4):
        begun = clock()
        assert pool.apply(len, (data,)) == n
        times.append(clock() - begun)
    return {"time": middle(times[1:])}


def middle(times):
    times = sorted(times)
    n = len(times)
    return (times[(n - 1) // 2] + times[n // 2]) / 2


def main():
    import json

    import peer_shared

    name, n = "measure_" + sys.argv[1], int(sys.argv[2])
    if hasattr(peer_shared, name):
        figures = getattr(peer_shared, name)(n)
    elif name == "measure_start":
        figures = measure_start(n)
    else:
        with multiprocessing.get_context("fork").Pool(2) as pool:
            figures = globals()[name](pool, n)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
