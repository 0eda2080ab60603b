"""Devices, threads, forks, signals, garbage: what happens around the calls."""
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import numpy as np
import pytest

import isogram
from isogram import errors
from isogram.devices import current


def alone(script, *, environment=None, timeout=120):
    """Runs a script in a process of its own; gives what it prints."""
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=timeout,
                          check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **(environment or {})})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_devices():
    found = isogram.devices()
    assert found and current().device.name in [device.name for device in found]
    for device in found:
        assert device.compute_units > 0 and device.global_bytes > 0 and device.device_class in str(device)
    before = current()
    with isogram.Context(found[0]) as context:
        assert current() is context and isogram.Gram(np.eye(2)).context is context
        with isogram.Context() as inner:
            assert current() is inner
        assert current() is context
    assert current() is before
    for name in ("no such device", "99:0"):
        with pytest.raises(errors.NoDevice, match="pocl-opencl-icd"):
            isogram.Context(name)
    with pytest.raises(ValueError):
        isogram.Context(3)
    with pytest.raises(ValueError, match="fused"):
        isogram.Context(arithmetic="exact")
    assert current().contract("f32").startswith("isogram-") and isogram.Context(arithmetic="unfused").contract("f64").endswith("f64/unfused")
    for precision in ("f16", None, 3):
        with pytest.raises(ValueError):
            current().contract(precision)


def test_the_choice_of_the_main_thread_is_every_threads():
    script = """
        import threading, numpy as np, isogram
        from isogram.devices import current
        seen = []
        def look(): seen.append(current().contract("f32"))
        isogram.use(arithmetic="unfused")
        thread = threading.Thread(target=look); thread.start(); thread.join()
        def choose(): isogram.use(arithmetic="fused"); look()
        thread = threading.Thread(target=choose); thread.start(); thread.join()
        look()
        assert isogram.use(isogram.Context(arithmetic="fused")) is current(); look()
        print(*(contract.split("/")[-1] for contract in seen))
    """
    assert alone(script) == "unfused fused unfused fused"


def test_contexts_of_threads_are_handed_on():
    seen = []

    def look():
        seen.append(current())

    for _ in range(5):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        gc.collect()
    assert len({id(context) for context in seen}) == 1 and seen[0] is not current()


def test_a_hundred_threads_at_once(random):
    X, V = random.standard_normal((150, 4)), random.standard_normal(150)
    shared = isogram.Gram(X, sigma=1.5)
    expected = np.asarray(shared).tobytes(), (shared @ V).tobytes()
    failures, barrier = [], threading.Barrier(100)

    def work(index):
        try:
            barrier.wait(120)
            own = isogram.Gram(X, sigma=1.5)
            for K in (own, shared):
                if (np.asarray(K).tobytes(), (K @ V).tobytes()) != expected:
                    failures.append(f"thread {index} has other bits")
        except BaseException as error:  # noqa: BLE001
            failures.append(repr(error))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    assert not failures and not any(thread.is_alive() for thread in threads)


def test_other_threads_run_meanwhile():
    """Python's lock is free while the library computes: another thread counts."""
    K = isogram.Gram(np.zeros((3000, 64)), np.ones((3000, 64)), sigma=1)
    out = np.empty(K.shape)
    count, stop = [0], threading.Event()
    seen = []

    def counting():
        while not stop.is_set():
            count[0] += 1
            time.sleep(0)

    thread = threading.Thread(target=counting)
    thread.start()
    try:
        original = K._context.call

        class Spy:
            def __getattr__(self, name):
                return getattr(K_context, name)

            def call(self, function, *arguments, **options):
                def counted(*arguments):
                    before = count[0]
                    status = function(*arguments)
                    seen.append(count[0] - before)
                    return status
                return original(counted, *arguments, **options)

        K_context, K._context = K._context, Spy()
        K.dense(out=out)
        K._context = K_context
    finally:
        stop.set()
        thread.join()
    assert seen and seen[0] > 10


def test_forks():
    script = """
        import os, sys, multiprocessing, numpy as np, isogram
        from isogram import errors
        if {before}:
            isogram.Gram(np.eye(3))[0, 0]
            kept = isogram.Gram(np.eye(3))
        child = os.fork()
        if not child:
            tries = [isogram.devices, lambda: isogram.Gram(np.eye(3)).dense(), isogram.Context]
            if {before}:
                tries += [kept.dense, kept.close, lambda: isogram.use(kept.context)]
            told = 0
            for use in tries:
                try:
                    use()
                except errors.ForkError as error:
                    told += "spawn" in str(error)
            sys.exit(told)     # and everything is finalised
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, isogram.Gram(np.eye(3))[0, 0])
    """
    assert alone(script.format(before=True)) == "5 1.0"
    assert alone(script.format(before=False)) == "0 1.0"


def square(K):
    return np.asarray(K).tobytes()


def test_workers_that_are_spawned(random):
    K = isogram.Gram(random.standard_normal((20, 3)), sigma=1.5)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(square, (K,)) == square(K)


CALLS = {
    "dense": lambda K: K.dense(),
    "array": np.asarray,
    "tile": lambda K: K[10:200, 5:300],
    "packed": lambda K: K.packed(),
    "apply": lambda K: K @ np.ones(300),
    "transposed": lambda K: K.T @ np.ones(300),
    "sum": lambda K: K.sum(),
    "logsumexp": lambda K: K.logsumexp(),
    "weighted_mean": lambda K: K.weighted_mean(np.ones(300)),
    "argmin": lambda K: K.argmin(),
    "topk": lambda K: K.topk(3),
    "gradient": lambda K: K.gradient(np.ones(300), np.ones(300)),
}


@pytest.fixture
def ask_every_time(monkeypatch):
    monkeypatch.setattr("isogram.progress.PERIOD_S", 1e-9)


@pytest.mark.parametrize("name", CALLS)
def test_every_call_is_interrupted(name, random, ask_every_time):
    K = isogram.Gram(random.standard_normal((300, 3)), sigma=1.5)
    expected = np.asarray(K).tobytes()
    told = []

    def interrupt(done, total):
        told.append(total)
        os.kill(os.getpid(), signal.SIGINT)

    K.progress = interrupt
    with pytest.raises(KeyboardInterrupt):
        CALLS[name](K)
    assert told
    K.progress = lambda done, total: 1 / 0
    with pytest.raises(ZeroDivisionError):
        CALLS[name](K)
    K.progress = lambda done, total: True
    with pytest.raises(errors.Cancelled):
        CALLS[name](K)
    K.progress = None
    CALLS[name](K)
    assert np.asarray(K).tobytes() == expected


def test_a_store_is_interrupted_and_goes_on(tmp_path, random, ask_every_time):
    K = isogram.Gram(random.standard_normal((300, 3)), sigma=1.5)
    K.progress = lambda done, total: os.kill(os.getpid(), signal.SIGINT) if done > 0 else None
    with pytest.raises(KeyboardInterrupt):
        K.save(tmp_path / "K.npy", side=64)
    K.progress = None
    K.save(tmp_path / "K.npy", resume=True)
    assert (np.load(tmp_path / "K.npy") == np.asarray(K)).all()


def test_ctrl_c_at_any_time():
    """A signal of the system's, not of a progress function; wherever it strikes, the operator can be used afterwards."""
    K = isogram.Gram(np.zeros((2000, 64)), np.ones((2000, 64)), sigma=9)
    out = np.empty(K.shape)
    expected = K.dense().tobytes()
    for delay in (0.001, 0.01, 0.05, 0.12):
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, delay)
        with pytest.raises(KeyboardInterrupt):
            while True:
                K.dense(out=out)
        assert K.dense(out=out).tobytes() == expected


def test_a_progress_function_must_not_compute(ask_every_time):
    unfused = isogram.Context(arithmetic="unfused")
    K = isogram.Gram(np.eye(300), context=unfused)
    for use in (lambda: K[0, 0], lambda: K.context.close(), lambda: K.context.contract("f32")):
        with pytest.raises(errors.Error, match="must not"):
            K.dense(progress=lambda done, total: use())
    other = isogram.Context()
    value = []
    K.dense(progress=lambda done, total: value.append(isogram.Gram(np.eye(3), context=other)[0, 0]))
    assert value and set(value) == {1.0}


def test_progress_is_told(ask_every_time):
    told = []
    K = isogram.Gram(np.zeros((500, 3)))
    K.dense(progress=lambda done, total: told.append((done, total)))
    assert told and all(0 < done <= total for done, total in told) and told == sorted(told)


def test_a_bar(ask_every_time, capsys):
    pytest.importorskip("tqdm")
    K = isogram.Gram(np.zeros((500, 3)))
    K.dense(progress=True)
    assert "dense: 100%" in capsys.readouterr().err


def test_no_bar_where_there_is_no_tqdm(ask_every_time, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    isogram.Gram(np.zeros((500, 3))).dense(progress=True)
    assert capsys.readouterr().err == ""


def test_closing_while_others_compute():
    """An operator, or its context, is closed on one thread while another uses it: results are right, or it is said to be closed."""
    for what in ("gram", "context"):
        for turn in range(10):
            context = isogram.Context()
            K = isogram.Gram(np.eye(50), context=context)
            said = []

            def work():
                try:
                    while True:
                        assert K.dense()[0, 0] == 1
                except ValueError as error:
                    said.append(str(error))

            threads = [threading.Thread(target=work) for _ in range(3)]
            for thread in threads:
                thread.start()
            time.sleep(0.002 * turn)
            (K if what == "gram" else context).close()
            for thread in threads:
                thread.join(60)
            assert len(said) == 3 and all("closed" in words for words in said)


def test_contexts_that_are_nested_on_two_threads():
    shared, seen = isogram.Context(), []
    inside, leave = threading.Event(), threading.Event()

    def work():
        before = current()
        with shared:
            inside.set()
            leave.wait(60)
        seen.append(current() is before)

    thread = threading.Thread(target=work)
    before = current()
    thread.start()
    inside.wait(60)
    with shared:
        leave.set()
        thread.join(60)
        assert current() is shared
    assert current() is before and seen == [True]


def test_garbage_in_any_order():
    """Operators, contexts and arrays in cycles of garbage, dropped on any thread, while others compute."""
    dead = []

    class Node:
        pass

    for order in range(12):
        node = Node()
        node.self = node
        names = ["context", "gram", "other", "points"]
        made = {"context": isogram.Context() if order < 3 else current()}
        made["points"] = np.eye(40)
        made["gram"] = isogram.Gram(made["points"], context=made["context"])
        made["other"] = isogram.Gram(made["points"], context=made["context"])
        for name in names[order % 4:] + names[:order % 4]:
            setattr(node, name, made[name])
        weakref.finalize(node, dead.append, order)
        if order % 2:
            drop = threading.Thread(target=gc.collect)
            del node, made
            drop.start()
            isogram.Gram(np.eye(60)).dense()
            drop.join()
        else:
            del node, made
            gc.collect()
    gc.collect()
    assert sorted(dead) == list(range(12))
    assert not current()._garbage


def test_what_is_dropped_while_its_context_is_busy(ask_every_time):
    K = isogram.Gram(np.zeros((500, 3)))
    others = [isogram.Gram(np.eye(3)) for _ in range(5)]
    made = len(K.context._made)
    K.dense(progress=lambda done, total: others.clear())  # no deadlock; destroyed when the call ends
    assert len(K.context._made) == made - 5 and not K.context._garbage


def test_no_leaks():
    """Three hundred operators of a megabyte each come and go; failures, too."""
    def resident():
        with open("/proc/self/statm", encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    X = np.ones((8192, 16))
    bad = X.copy()
    bad[-1, -1] = np.nan

    def once():
        K = isogram.Gram(X, X[:8], sigma=1)
        K.sum()
        with pytest.raises(ValueError):
            isogram.Gram(bad)

    for _ in range(20):
        once()
    before = resident()
    for _ in range(300):
        once()
    assert resident() - before < 60 << 20


@pytest.mark.parametrize("script", [
    "K = isogram.Gram(np.eye(3)); K.dense()",
    "x = [isogram.Gram(np.eye(3))]; x.append(x)",
    "import threading; threading.Thread(target=lambda: globals().update(K=isogram.Gram(np.eye(3)))).start()",
    "import threading, time; threading.Thread(target=lambda: [isogram.Gram(np.eye(99)).dense() for _ in iter(int, 1)], daemon=True).start(); time.sleep(0.5)",
])
def test_interpreters_end(script):
    assert alone("import numpy as np, isogram\n" + script + "\nprint('end')") == "end"
