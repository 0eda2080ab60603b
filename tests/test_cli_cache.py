#!/usr/bin/env python3
"""The program cache is a convenience: whatever is wrong with it, the command computes the same bytes and says one line.

test_cli_cache.py PATH_TO_ISOGRAM [unittest's arguments]
"""
import os
import queue
import random
import re
import shutil
import struct
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cli
from cli import DONE

JOB = ["grid", "--size", "5", "--sigma", "1", "-o", "g.npy"]  # reads every file of its cache

# A cache file is a header and a blob.
HEADER = struct.Struct("<16s16sQQ16s")  # magic, key, bytes of the blob, reserved, checksum
MAGIC = b"isogram cache 1\0"
FIELDS = {"magic": (0, 16), "key": (16, 32), "length": (32, 40), "reserved": (40, 48), "checksum": (48, 64)}

WORKERS = 2
LEAST_DAMAGES = 200


# ---- Damages: a name, and what the cache's files become. Content None removes a file ----

def cuts(data):
    size = len(data)
    places = {0, 1, 15, 16, 31, 32, 39, 40, 47, 48, 63, 64, 65, size // 3, size // 2, size - 9, size - 1}
    return [(f"cut to {at} bytes", data[:at]) for at in sorted(places) if at < size]


def flips(data):
    places = {at for first, end in FIELDS.values() for at in (first, (first + end) // 2, end - 1)}
    blob = len(data) - HEADER.size
    count = min(blob, 40)
    places |= {HEADER.size + i * (blob - 1) // (count - 1) for i in range(count)}
    damaged = []
    for i, at in enumerate(sorted(places)):
        copy = bytearray(data)
        copy[at] ^= 1 << i % 8
        damaged.append((f"bit {i % 8} of byte {at} flipped", bytes(copy)))
    return damaged


def junk(data, seed):
    noise = random.Random(seed).randbytes
    damaged = [(f"{size} bytes of junk", noise(size)) for size in (1, 32, 63, 64, 65, 96, 5000, len(data), 1 << 20)]
    return damaged + [
        ("zeros", bytes(len(data))),
        ("its header and junk", data[: HEADER.size] + noise(len(data) - HEADER.size)),
        ("junk and its blob", noise(HEADER.size) + data[HEADER.size :]),
        ("itself and a byte", data + b"\0"),
        ("itself twice", data + data),
        ("itself with an immense length", data[:32] + struct.pack("<Q", 2**63 + 7) + data[40:]),
        ("text", b"not a cache file\n" * 20),
    ]


def all_damages(pristine):
    damages = []
    for name, data in pristine.items():
        for what, content in cuts(data) + flips(data) + junk(data, len(damages)):
            damages.append((f"{name}: {what}", {name: content}))
        damages.append((f"{name}: removed", {name: None}))
    names = sorted(pristine)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            damages.append((f"{a} and {b} swapped", {a: pristine[b], b: pristine[a]}))
            damages.append((f"{a} replaced by {b}", {a: pristine[b]}))
            damages.append((f"{b} replaced by {a}", {b: pristine[a]}))
    for what, make in (("cut", cuts), ("flipped", flips), ("junk", lambda data: junk(data, 7))):
        for i in (0, 5, 10):
            damages.append((f"all {what} {i}", {name: make(data)[i][1] for name, data in pristine.items()}))
    damages.append(("all removed", {name: None for name in names}))
    return damages


class Cache(cli.Case):
    def setUp(self):
        super().setUp()
        self.cache = self.path("cache")
        self.work = self.path("work")
        self.work.mkdir()
        self.wanted, self.pristine = self.warm()

    def warm(self):
        """The job's output, and the files of the cache that it leaves: made once for all tests."""
        if not hasattr(Cache, "kept"):
            folder = cli.root / "warm"
            result = cli.run(*JOB, cwd=self.work, env={"ISOGRAM_CACHE_DIR": str(folder)})
            self.assertEqual((result.code, result.err), (DONE, ""), result)
            files = {entry.name: entry.read_bytes() for entry in folder.iterdir()}
            Cache.kept = self.work.joinpath("g.npy").read_bytes(), files
            self.work.joinpath("g.npy").unlink()
        return Cache.kept

    def fill(self, folder):
        folder.mkdir(mode=0o700, exist_ok=True)
        for name, data in self.pristine.items():
            folder.joinpath(name).write_bytes(data)
        return folder

    def job(self, cache, work=None, **options):
        """Runs the job, checks its bytes, and that it says nothing but warnings."""
        work = work or self.work
        env = {"ISOGRAM_CACHE_DIR": None if cache is None else str(cache), **options.pop("env", {})}
        result = cli.run(*JOB, *options.pop("args", []), cwd=work, env=env, **options)
        self.assertEqual((result.code, result.out), (DONE, b""), result)
        self.assertEqual(work.joinpath("g.npy").read_bytes(), self.wanted, "the output differs")
        self.assertEqual(os.listdir(work), ["g.npy"])
        for line in result.lines:
            self.assertRegex(line, r"^isogram: warning: ")
        work.joinpath("g.npy").unlink()
        return result

    def check_files(self, folder):
        """That a cache holds whole files under the names it had, and nothing else."""
        self.assertEqual(sorted(os.listdir(folder)), sorted(self.pristine))
        for name in self.pristine:
            data = folder.joinpath(name).read_bytes()
            magic, key, length, reserved, _ = HEADER.unpack(data[: HEADER.size])
            self.assertEqual((magic, key.hex(), length, reserved), (MAGIC, name, len(data) - HEADER.size, 0))

    # ---- A cache in order ----

    def test_files(self):
        self.assertGreaterEqual(len(self.pristine), 2)  # a program and the verdict of a probe, at least
        for name in self.pristine:
            self.assertRegex(name, "^[0-9a-f]{32}$")
        self.check_files(self.fill(self.cache))

    def test_a_second_run_writes_nothing(self):
        self.fill(self.cache)
        before = cli.snapshot(self.cache)
        self.assertEqual(self.job(self.cache).err, "")
        self.check_same(before, cli.snapshot(self.cache))
        said = cli.run(*JOB, "--verbose", cwd=self.work, env={"ISOGRAM_CACHE_DIR": str(self.cache)}).err
        self.assertNotRegex(said, "compiled|probed")

    def test_off(self):
        home = self.path("home")
        home.mkdir()
        self.assertEqual(self.job("off", env={"HOME": str(home)}).err, "")
        self.assertFalse(home.joinpath(".cache", "isogram").exists())
        self.assertFalse(self.work.joinpath("off").exists())

    def test_default_places(self):
        home, xdg = self.path("home"), self.path("xdg")
        home.mkdir()
        for given, place in [({"XDG_CACHE_HOME": str(xdg)}, xdg / "isogram"),
                             ({"XDG_CACHE_HOME": "relative"}, home / ".cache" / "isogram"),
                             ({}, home / ".cache" / "isogram"),
                             ({"ISOGRAM_CACHE_DIR": ""}, home / ".cache" / "isogram")]:
            with self.subTest(given=given):
                for folder in (home / ".cache", xdg):
                    shutil.rmtree(folder, ignore_errors=True)
                place.parent.mkdir(parents=True, mode=0o700)
                self.fill(place)
                before = cli.snapshot(place)
                self.assertEqual(self.job(None, env={"HOME": str(home), **given}).err, "")
                self.check_same(before, cli.snapshot(place))
                shutil.rmtree(place.parent)
                self.job(None, env={"HOME": str(home), **given})
                self.check_files(place)
                self.assertEqual(place.stat().st_mode & 0o777, 0o700)

    def test_no_home(self):
        self.assertEqual(self.job(None, env={"HOME": None}).err, "")

    def test_runs_at_once(self):
        works = []
        for i in range(4):
            works.append(self.path(f"work-{i}"))
            works[i].mkdir()
        with ThreadPoolExecutor(len(works)) as pool:
            for result in pool.map(lambda work: self.job(self.cache, work), works):
                self.assertEqual(result.err, "")
        self.check_files(self.cache)

    # ---- Folders that do not serve ----

    def test_folders_that_cannot_be(self):
        self.path("file").write_bytes(b"precious")
        before = self.path("file").read_bytes()
        for folder, reason in [(self.path("file"), "Not a directory"), (self.path("file") / "below", "Not a directory"),
                               (Path("/proc/isogram-cache"), ""), (Path("/dev/null"), "Not a directory")]:
            with self.subTest(folder=folder.name):
                result = self.job(folder)
                self.assertEqual(len(result.lines), 1, result)
                self.assertIn(str(folder), result.err)
                self.assertIn(reason, result.err)
                self.assertEqual(self.job(folder, args=["--quiet"]).err, "")
        self.assertEqual(self.path("file").read_bytes(), before)

    def test_folders_that_others_may_write_to(self):
        self.cache.mkdir()
        self.fill(self.cache)
        before = cli.snapshot(self.cache)
        for mode in (0o777, 0o1777, 0o770, 0o702):
            self.cache.chmod(mode)
            with self.subTest(mode=oct(mode)):
                result = self.job(self.cache)
                self.assertEqual(len(result.lines), 1, result)
                self.assertIn(str(self.cache), result.err)
                self.assertIn("others may write", result.err)
                self.check_same(before, cli.snapshot(self.cache))
        self.cache.chmod(0o700)
        if os.geteuid() == 0:
            os.chown(self.cache, 65534, 65534)
            self.assertIn("others may write", self.job(self.cache).err)

    def test_folders_that_are_read_only(self):
        options, pocl = {}, self.path("pocl")
        shutil.copytree(cli.root / "pocl", pocl) if (cli.root / "pocl").exists() else pocl.mkdir()
        self.fill(self.cache)
        empty = self.path("empty")
        empty.mkdir()
        if os.geteuid() == 0:  # whom no permission stops
            options = {"user": 65534, "group": 65534, "extra_groups": []}
            try:
                subprocess.run([cli.command, "--version"], check=True, stdout=subprocess.DEVNULL, **options)
            except (OSError, subprocess.SubprocessError) as error:
                self.skipTest(f"the command cannot be run as another user: {error}")
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, 65534, 65534)
        self.cache.chmod(0o500)
        empty.chmod(0o500)
        try:
            env = {"POCL_CACHE_DIR": str(pocl), "HOME": str(self.folder)}
            self.assertEqual(self.job(self.cache, env=env, **options).err, "")
            result = self.job(empty, env=env, **options)
            self.assertGreaterEqual(len(result.lines), 1, result)
            for line in result.lines:
                self.assertIn(str(empty), line)
            self.assertEqual(os.listdir(empty), [])
        finally:
            self.cache.chmod(0o700)
            empty.chmod(0o700)

    # ---- Files that are no cache files ----

    def test_things_that_are_no_files(self):
        for name in self.pristine:
            for kind in ("folder", "dangling link", "link to itself", "link to a file", "link to a device"):
                with self.subTest(name=name, kind=kind):
                    shutil.rmtree(self.cache, ignore_errors=True)
                    path = self.fill(self.cache) / name
                    path.unlink()
                    elsewhere = self.path("elsewhere")
                    elsewhere.write_bytes(self.pristine[name])
                    if kind == "folder":
                        path.mkdir()
                    else:
                        path.symlink_to({"dangling link": self.path("nowhere"), "link to itself": path,
                                         "link to a file": elsewhere, "link to a device": "/dev/zero"}[kind])
                    result = self.job(self.cache)
                    self.assertIn(str(path), result.err)
                    self.assertEqual(elsewhere.read_bytes(), self.pristine[name])
                    self.assertFalse(self.path("nowhere").exists())
                    if kind != "folder":
                        self.assertEqual(len(result.lines), 1, result)
                        self.check_files(self.cache)

    def test_a_pipe_is_not_waited_for(self):
        self.fill(self.cache)
        name = sorted(self.pristine)[0]
        self.cache.joinpath(name).unlink()
        os.mkfifo(self.cache / name)
        try:
            result = self.job(self.cache, timeout=20)
        except subprocess.TimeoutExpired:
            self.fail("the command waits for somebody to write to a pipe in its cache")
        self.assertIn(name, result.err)

    # ---- Damaged files ----

    def check_damage(self, cache, work, damage, run_again):
        """The same bytes, a line for each bad file, and a cache that is whole again."""
        shutil.rmtree(cache, ignore_errors=True)
        self.fill(cache)
        for name, content in damage.items():
            path = cache / name
            path.unlink()
            if content is not None:
                path.write_bytes(content)
        result = self.job(cache, work)
        damaged = sorted(name for name, content in damage.items() if content is not None)
        named = sorted(re.search(r"[0-9a-f]{32}", line).group() for line in result.lines)
        self.assertEqual(named, damaged, result)
        self.check_files(cache)
        for name in set(self.pristine) - set(damage):
            self.assertEqual(cache.joinpath(name).read_bytes(), self.pristine[name], f"{name} was written without need")
        if run_again:
            self.assertEqual(self.job(cache, work).err, "", "the run behind the one that built anew")

    def test_damages(self):
        damages = all_damages(self.pristine)
        self.assertGreaterEqual(len(damages), LEAST_DAMAGES)
        damages = [damage for damage in damages if cli.taken(damage[0], 3)]
        places = queue.Queue()
        for i in range(WORKERS):
            place = self.path(f"worker-{i}")
            place.joinpath("work").mkdir(parents=True)
            places.put(place)

        def outcome(number):
            place = places.get()
            try:
                self.check_damage(place / "cache", place / "work", damages[number][1], number % 3 == 0)
            except Exception as error:  # told by the main thread
                for left in place.joinpath("work").iterdir():
                    left.unlink()
                return error
            finally:
                places.put(place)

        start = time.monotonic()
        with ThreadPoolExecutor(WORKERS) as pool:
            outcomes = list(pool.map(outcome, range(len(damages))))
        print(f"test_cli_cache.py: {len(outcomes)} damaged caches in {time.monotonic() - start:.1f} s")
        for (what, _), error in zip(damages, outcomes):
            with self.subTest(damage=what):
                if error:
                    raise error


if __name__ == "__main__":
    cli.main("test_cli_cache.py")
