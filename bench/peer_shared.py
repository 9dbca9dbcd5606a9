"""Measurements of what Python's processes share: queues, pipes, locks, values.

peer.py calls them. Children are forked: that is Python's fastest start, and what
they share is the same however they were started.
"""

import multiprocessing
import time

clock = time.monotonic  # the same in all processes, and perf_counter's clock on Linux
context = multiprocessing.get_context("fork")
batches = 200  # short ones: the median is free of those in which others had the processor


def measure_queue11(n):
    """Ints from one process to another."""
    return queue_rate(n, 1, 1)


def measure_queue22(n):
    """Ints from two processes to two others."""
    return queue_rate(n, 2, 1)


def measure_queue64k(n):
    """64 KiB from one process to another; without a bound, which is Python's fastest."""
    return queue_rate(n, 1, bytes(64 << 10))


def queue_rate(n, pairs, item):
    """n items through one queue, by so many producers and as many consumers."""
    queue = context.Queue()
    told = context.SimpleQueue()
    each, warm = n // pairs, n // 10 // pairs
    processes = [context.Process(target=consume, args=(queue, told, warm, each)) for _ in range(pairs)]
    processes += [context.Process(target=produce, args=(queue, warm + each, item)) for _ in range(pairs)]
    for p in processes:
        p.start()
    said = [told.get() for _ in range(pairs)]
    for p in processes:
        p.join()
    assert all(got == item for _, _, got in said)
    return {"rate": each * pairs / (max(s[1] for s in said) - min(s[0] for s in said))}


def produce(queue, n, item):
    for _ in range(n):
        queue.put(item)


def consume(queue, told, warm, n):
    for _ in range(warm):
        queue.get()
    begun = clock()
    for _ in range(n):
        got = queue.get()
    told.put((begun, clock(), got))


def measure_queuert(n):
    """An int to a child over one queue, and back over another."""
    there, back = context.Queue(), context.Queue()
    child = context.Process(target=echo, args=(there.get, back.put))
    child.start()
    figures = round_trips(n, there.put, back.get)
    child.join()
    return figures


def measure_pipert(n):
    """An int to a child and back over a pipe."""
    ours, theirs = context.Pipe()
    child = context.Process(target=echo, args=(theirs.recv, theirs.send))
    child.start()
    figures = round_trips(n, ours.send, ours.recv)
    child.join()
    return figures


def echo(get, put):
    while True:
        item = get()
        put(item)
        if item is None:
            return


def round_trips(n, put, get):
    times = []
    for i in range(-(n // 10), n):
        begun = clock()
        put(i)
        got = get()
        spent = clock() - begun
        assert got == i
        if i >= 0:
            times.append(spent)
    put(None)
    get()
    times.sort()
    return {"p50": times[n // 2], "p99": times[n * 99 // 100]}


def measure_lock(n):
    """A lock that nobody else wants."""
    lock = context.Lock()

    def once(n):
        for _ in range(n):
            lock.acquire()
            lock.release()

    return per_op(n, once)


def measure_value(n):
    """A shared integer incremented under its lock."""
    value = context.Value("q", 0)

    def once(n):
        for _ in range(n):
            with value.get_lock():
                value.value += 1

    return per_op(n, once)


def per_op(n, once):
    """The median time of one operation over some batches."""
    n = max(n // batches, 1)
    once(n)
    times = []
    for _ in range(batches):
        begun = clock()
        once(n)
        times.append((clock() - begun) / n)
    times.sort()
    return {"time": (times[batches // 2 - 1] + times[batches // 2]) / 2}
