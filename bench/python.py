#!/usr/bin/env python3
"""What Python adds to the C calls: bench/python.py [--full]

    PYTHONPATH=build/python python3 bench/python.py

Each figure is the median over turns that alternate between two ways, so that a noisy machine is noisy for both:
  bare     isg_gram_create, isg_gram_dense, isg_gram_destroy through cffi with every structure made beforehand
  python   isogram.Gram(X, sigma=...).dense(out=...)
then how long Ctrl-C takes to stop a call, and, with --full, n = 8192. Seconds, by the wall's clock and by that of the thread
alone, which a busy machine disturbs less (work that the device does is not in it); one line of JSON each.
"""
import argparse
import json
import os
import signal
import statistics
import threading
import time

import numpy as np

import isogram
from isogram import arrays
from isogram._native import ffi, lib
from isogram.devices import current


def pair(n, d, turns, dtype="f4"):
    """Medians of (bare, python, python with a new output), for K(X, X) of n points."""
    X, out = np.random.default_rng(1).standard_normal((n, d)).astype(dtype), np.empty((n, n), dtype)
    handle, params, gram = current().handle, ffi.new("isg_gram_params *"), ffi.new("isg_gram **")
    params.x, params.sigma = arrays.view(X), 2.0
    params.precision = lib.ISG_PRECISION_F32 if dtype == "f4" else lib.ISG_PRECISION_F64
    target = arrays.view(out)

    def bare():
        lib.isg_gram_create(handle, gram, params)
        lib.isg_gram_dense(gram[0], target)
        lib.isg_gram_destroy(gram)

    def python():
        isogram.Gram(X, sigma=2.0).dense(out=out)

    kept = isogram.Gram(X, sigma=2.0)

    def bare_call():
        lib.isg_gram_dense(kept._gram, target)

    def call():
        kept.dense(out=out)

    ways = {"bare": bare, "python": python, "bare dense": bare_call, "python dense": call}
    times, cpu = ({name: [] for name in ways} for _ in range(2))
    for turn in range(turns):
        for name in sorted(ways, reverse=turn % 2 == 1):
            start, busy = time.perf_counter(), time.thread_time()
            ways[name]()
            cpu[name].append(time.thread_time() - busy)
            times[name].append(time.perf_counter() - start)
    median = lambda one: {name: statistics.median(seconds[turns // 10:]) for name, seconds in one.items()}
    return median(times), median(cpu)


def empty_call(turns=2000):
    """What Python adds to a call in which C does next to nothing: the diagonal of three points."""
    kept = isogram.Gram(np.eye(3), sigma=2.0)
    out = np.empty(3)
    times, bare = [], []
    target = arrays.view(out)
    for _ in range(turns):
        start = time.perf_counter()
        kept.diagonal(out=out)
        middle = time.perf_counter()
        lib.isg_gram_diagonal(kept._gram, target)
        bare.append(time.perf_counter() - middle)
        times.append(middle - start)
    return statistics.median(times) - statistics.median(bare)


def interrupted(call, delays):
    """Seconds from a signal to KeyboardInterrupt, the longest."""
    waits = []
    for delay in delays:
        sent = []

        def send():
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        timer = threading.Timer(delay, send)
        timer.start()
        try:
            while True:
                call()
        except KeyboardInterrupt:
            waits.append(time.perf_counter() - sent[0])
        timer.join()
    return max(waits)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--full", action="store_true")
    options.add_argument("--turns", type=int, default=400)
    options = options.parse_args()
    for n, turns in [(100, options.turns)] + ([(8192, 9)] if options.full else []):
        wall, cpu = pair(n, 16, turns)
        for clock, found in ("wall", wall), ("thread", cpu):
            print(json.dumps({"what": "overhead", "n": n, "d": 16, "clock": clock, "device": current().device.name, **found,
                              "added by a new Gram and dense": found["python"] - found["bare"],
                              "added by dense": found["python dense"] - found["bare dense"],
                              "ratio": found["python"] / found["bare"]}))
    print(json.dumps({"what": "a call of diagonal beside C's", "added": empty_call()}))
    X, Y = np.zeros((4000, 512)), np.ones((4000, 512))
    K, V = isogram.Gram(X, Y, sigma=30.0), np.ones((4000, 8))
    out = np.empty(K.shape)
    calls = {"dense": lambda: K.dense(out=out), "apply": lambda: K @ V, "logsumexp": K.logsumexp,
                       "gradient": lambda: K.gradient(V, V)}
    for name, call in calls.items():
        call()  # compiled
        print(json.dumps({"what": f"Ctrl-C in {name}", "longest": interrupted(call, [0.1, 0.23, 0.37, 0.51, 0.77])}))


if __name__ == "__main__":
    main()
