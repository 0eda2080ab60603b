#!/usr/bin/env python3
"""Stores lose nothing: whatever ends the command, the next run goes on, and the file is the same in the end.

test_cli_store.py PATH_TO_ISOGRAM FAULT_LAYER [unittest's arguments]

ISOGRAM_STORE_KILLS: how often the command is killed, in all; 10 unless told otherwise. ISOGRAM_TEST_SEED: of where.
"""
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import time

import cli
import npy_util
from cli import DONE, FAILED, USAGE, needs_f64

layer = None  # path of the fault layer
KILLS = int(os.environ.get("ISOGRAM_STORE_KILLS", "10"))
SEED = int(os.environ.get("ISOGRAM_TEST_SEED", "1"), 0)

N, D, SIDE = 700, 4, 64  # border tiles have 60 rows
ACROSS = -(-N // SIDE)
TILES = ACROSS * (ACROSS + 1) // 2
STORE = ["gram", "x.npy", "--sigma", "2", "-o", "k.npy", "--tile", SIDE]
HEADER, RECORD = 4096, 64  # of the journal, whose text is short here
FILES = "k.npy:k.npy.journal: (deleted)"  # the last: a journal before it has a name


def points(n, d, seed):
    noise = random.Random(seed)
    return npy_util.dump("<f4", (n, d), [struct.unpack("f", struct.pack("f", noise.uniform(-1, 1)))[0] for _ in range(n * d)])


class Store(cli.Case):
    plain = {}  # what isogram gram without a store writes, by its options

    def setUp(self):
        super().setUp()
        self.path("x.npy").write_bytes(points(N, D, 1))

    def wanted(self, *options):
        """The bytes of the same matrix, computed at once."""
        if options not in self.plain:
            self.succeed("gram", "x.npy", "--sigma", "2", "-o", "plain.npy", "--quiet", *options)
            self.plain[options] = self.path("plain.npy").read_bytes()
            self.path("plain.npy").unlink()
        return self.plain[options]

    def bytes_of(self, name="k.npy"):
        return self.path(name).read_bytes()

    def files(self):
        return {name: self.bytes_of(name) for name in ("k.npy", "k.npy.journal")}

    def put(self, files):
        for name, content in files.items():
            self.path(name).write_bytes(content)

    def clear(self):
        for name in ("k.npy", "k.npy.journal"):
            self.path(name).unlink(missing_ok=True)

    def info(self, name="k.npy"):
        return self.succeed("store", "info", name, "--json").json

    def faulty(self, fault, *args, files=FILES, **options):
        return self.run_command(*args, env={"LD_PRELOAD": layer, "ISOGRAM_FAULT": fault, "ISOGRAM_FAULT_FILE": files}, **options)

    def start(self, *args, env=None, **options):
        """The command in the background."""
        variables = {**cli.environment, **(env or {})}
        return subprocess.Popen([cli.command, *map(str, args)], cwd=self.folder, env=variables, stdin=subprocess.DEVNULL,
                                stdout=options.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE, text=True, **options)

    def slow(self, milliseconds=15):
        """An environment in which each record takes that much longer."""
        return {"LD_PRELOAD": layer, "ISOGRAM_FAULT": f"write:{milliseconds}:slow", "ISOGRAM_FAULT_FILE": "k.npy.journal: (deleted)"}

    def wait_for_tiles(self, count, process):
        """Until that many are recorded and the process is still at it."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.assertIsNone(process.poll(), "the command ended early")
            if self.path("k.npy.journal").exists() and self.info()["recorded"] >= count:
                return
            time.sleep(0.01)
        self.fail("no tiles come")


class Bytes(Store):
    """A store's file is what the command writes without one."""

    def check(self, *options, store=(), tiles=None):
        self.clear()
        report = [json.loads(line) for line in self.succeed(*STORE[:-2], *options, *store, "--json").out.splitlines()]
        self.assertTrue(self.wanted(*options) == self.bytes_of(), (options, store))
        self.assertEqual([line["event"] for line in report], ["progress"] * (len(report) - 1) + ["done"])
        done = report[-1]
        self.assertEqual((done["recorded"], done["computed"], done["struck"]), (done["tiles"], done["tiles"], 0))
        if tiles:
            self.assertEqual(done["tiles"], tiles)
        info = self.info()
        self.assertEqual((info["synced"], info["damaged"], info["bytes"]), (info["tiles"], 0, len(self.bytes_of())))
        self.succeed("store", "check", "k.npy")

    def test_sides(self):
        for side in (64, 128, 192, 704, 2048):
            across = -(-N // side)
            self.check(store=["--tile", side], tiles=across * (across + 1) // 2)
        self.check(store=["--store"], tiles=1)

    def test_half_and_factors(self):
        self.check("--half", store=["--tile", SIDE])
        self.save("w.npy", "<f8", (N,), [1 + i % 7 for i in range(N)])
        self.check("--factors", "w.npy", store=["--tile", 256], tiles=9)

    def test_rows_lengthscales_and_parameters(self):
        self.save("m.npy", "|u1", (N,), [i % 3 > 0 for i in range(N)])
        for options in (["--include", "m.npy", "--lengthscale", "1,2,3,0.5"], ["--kernel", "rational_quadratic", "--param", "alpha=2"]):
            self.clear()
            self.succeed("gram", "x.npy", *options, "-o", "plain.npy", "--quiet")
            self.succeed("gram", "x.npy", *options, "-o", "k.npy", "--tile", 128, "--workers", 2, "--quiet")
            self.assertTrue(self.bytes_of("plain.npy") == self.bytes_of(), options)

    @needs_f64
    def test_two_sets_in_double_precision(self):
        self.path("y.npy").write_bytes(points(333, D, 2))
        for side in (64, 320, 704):
            self.clear()
            self.succeed("gram", "x.npy", "y.npy", "--precision", "f64", "-o", "k.npy", "--tile", side, "--quiet")
            self.succeed("gram", "x.npy", "y.npy", "--precision", "f64", "-o", "plain.npy", "--quiet")
            self.assertTrue(self.bytes_of("plain.npy") == self.bytes_of(), side)

    def test_tiles(self):
        """The lower triangle by tiles, as docs/store.md lays it out, and blocks of it."""
        self.succeed(*STORE, "--layout", "tiles", "--quiet")
        whole, tiles = npy_util.load(self.wanted()), self.read("k.npy")
        self.assertEqual(tiles.shape, (TILES, SIDE, SIDE))
        place = random.Random(3)
        for _ in range(3000):
            i = place.randrange(ACROSS * SIDE)
            j = place.randrange((i // SIDE + 1) * SIDE)
            t = (i // SIDE) * (i // SIDE + 1) // 2 + j // SIDE
            want = whole[i, j] if i < N and j < N else 0
            self.assertEqual(tiles[t, i % SIDE, j % SIDE], want, (i, j))
        self.read_blocks(whole)
        self.succeed("store", "check", "k.npy")

    def read_blocks(self, whole):
        for rows, cols in (((0, N), (0, N)), ((63, 65), (0, N)), ((600, 700), (5, 6)), ((5, 6), (600, 700)), ((130, 131), (130, 131))):
            self.succeed("store", "read", "k.npy", "--rows", f"{rows[0]}:{rows[1]}", "--cols", f"{cols[0]}:{cols[1]}", "-o", "b.npy")
            block = self.read("b.npy")
            self.assertEqual(block.shape, (rows[1] - rows[0], cols[1] - cols[0]))
            want = [whole.values[i * N + cols[0] : i * N + cols[1]] for i in range(*rows)]
            self.assertTrue(block.rows() == want, (rows, cols))

    def test_blocks(self):
        self.succeed(*STORE, "--quiet")
        self.read_blocks(npy_util.load(self.wanted()))
        self.check_refusal(self.run_command("store", "read", "k.npy", "--rows", "5:701", "-o", "b.npy"), FAILED, ["--rows", "700"])

    def test_parts(self):
        for part in (3, 1, 3, 2):
            self.succeed(*STORE, "--part", f"{part}/3", "--resume", "--quiet")
        self.assertTrue(self.wanted() == self.bytes_of())
        self.assertEqual(self.info()["recorded"], TILES)


class Kills(Store):
    """Killed at any moment, half of them while a tile is written, half of those half way through a write."""

    def computed(self, text):
        return sum("is computed" in line for line in text.splitlines())

    def test_kills(self):
        place = random.Random(SEED)
        wanted, took = self.wanted(), []
        for _ in range(4):  # the first compiles
            self.clear()
            start = time.monotonic()
            self.succeed(*STORE, "--quiet")
            took.append(time.monotonic() - start)
            self.assertTrue(self.bytes_of() == wanted)
        seconds = sorted(took)[1]
        writes = sum((1 if i == j else 2) * SIDE + 1 for i in range(ACROSS) for j in range(i + 1))
        killed = redone = in_writes = 0
        while killed < KILLS:
            self.clear()
            done = deaths = in_write_here = 0
            for _ in range(2 if place.random() < 0.3 else 1):
                before = self.info()["recorded"] if self.path("k.npy.journal").exists() else 0
                command = [*STORE, "--resume", "--verbose"]
                in_write = in_writes + in_write_here <= (killed + deaths) // 2
                if in_write:
                    run = self.faulty(f"write:{place.randint(1, writes)}:kill", *command)
                    code, said = run.code, run.err
                else:
                    process = self.start(*command, stdout=subprocess.DEVNULL)
                    time.sleep(place.uniform(0.1, 1) * seconds)
                    process.kill()
                    said, code = process.communicate()[1], process.returncode
                self.assertIn(code, (DONE, -signal.SIGKILL), said)
                deaths += code != DONE
                in_write_here += in_write and code != DONE
                done += self.computed(said)
                recorded = self.info()["recorded"] if self.path("k.npy.journal").exists() else 0
                # At most one tile had been computed and is not there.
                self.assertLessEqual(self.computed(said) - (recorded - before), 1)
                self.assertGreaterEqual(self.computed(said), recorded - before)
            last = self.run_command(*STORE, "--resume", "--verbose", "--json")
            self.assertEqual(last.code, DONE, last)
            report = json.loads(last.out.splitlines()[-1])
            self.assertEqual((report["computed"], report["recorded"]), (TILES - recorded, TILES), last)
            self.assertLessEqual(report["struck"], in_write_here, last)  # a record of which half was written is none
            done += report["computed"]
            self.assertLessEqual(done, TILES + deaths)
            self.assertTrue(self.bytes_of() == wanted)
            killed += deaths
            in_writes += in_write_here
            redone += done - TILES
        self.succeed("store", "check", "k.npy")
        print(f"killed {killed} times, {in_writes} of them within a write; {redone} tiles computed twice", flush=True)

    def test_killed_at_its_beginning(self):
        """Before the journal is there, before the file is, before it has its size, before its header is through."""
        for fault, files in (("reserve:1:kill", FILES), ("sync:1:kill", FILES), ("reserve:1:kill", "k.npy"), ("write:1:kill", "k.npy"),
                             ("sync:1:kill", "k.npy"), ("write:2:kill", "k.npy"), ("sync:2:kill", "k.npy")):
            self.clear()
            self.assertEqual(self.faulty(fault, *STORE, files=files).code, -signal.SIGKILL, fault)
            self.succeed(*STORE, "--resume", "--quiet")
            self.assertTrue(self.bytes_of() == self.wanted(), fault)
            self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["k.npy", "k.npy.journal", "x.npy"], fault)

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self.clear()
            process = self.start(*STORE, env=self.slow())
            self.wait_for_tiles(3, process)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out), (128 + number, ""), err)
            self.assertRegex(err, rf"^isogram: stopped by a signal: \d+ of {TILES} tiles of k.npy are recorded; the same command with --resume goes on\n$")
            info = self.info()
            self.assertEqual(info["recorded"], info["synced"])
            self.assertLess(info["recorded"], TILES)
            self.succeed(*STORE, "--resume", "--quiet")
            self.assertTrue(self.bytes_of() == self.wanted())


class Workers(Store):
    def test_any_number(self):
        for workers in (1, 2, 3):
            self.clear()
            self.succeed(*STORE, "--workers", workers, "--quiet")
            self.assertTrue(self.bytes_of() == self.wanted(), workers)

    def children(self, process):
        with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
            return [int(word) for word in file.read().split()]

    def test_one_is_killed_and_replaced(self):
        process = self.start(*STORE, "--workers", 3, env=self.slow())
        self.wait_for_tiles(4, process)
        first = self.children(process)
        self.assertEqual(len(first), 3)
        os.kill(first[1], signal.SIGKILL)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, DONE, err)
        self.assertIn("worker 2 was killed by signal 9; another takes its place", err)
        self.assertTrue(self.bytes_of() == self.wanted())
        self.succeed("store", "check", "k.npy")

    def test_killed_with_its_workers(self):
        process = self.start(*STORE, "--workers", 2, env=self.slow())
        self.wait_for_tiles(4, process)
        workers = self.children(process)
        process.kill()
        process.wait()
        end = time.monotonic() + 30
        while any(self.alive(pid) for pid in workers) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertFalse(any(self.alive(pid) for pid in workers), "workers outlive who started them")
        process.communicate()
        self.assertLess(self.info()["recorded"], TILES)
        self.succeed(*STORE, "--workers", 2, "--resume", "--quiet")
        self.assertTrue(self.bytes_of() == self.wanted())

    def alive(self, pid):
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def test_strangers_share_a_store(self):
        """Two commands that know nothing of each other: one waits for what the other has claimed, and no tile is done twice."""
        self.succeed(*STORE, "--part", "1/9", "--quiet")
        begun = self.info()["recorded"]
        both = [self.start(*STORE, "--resume", "--verbose", env=self.slow()) for _ in range(2)]
        said = [process.communicate(timeout=120)[1] for process in both]
        self.assertEqual([process.returncode for process in both], [DONE, DONE], said)
        self.assertEqual(sum(line.count("is computed") for line in said), TILES - begun)
        self.assertTrue(self.bytes_of() == self.wanted())

    def test_survivor_takes_over(self):
        """Of two strangers the one that is killed leaves no lock behind."""
        first = self.start(*STORE, env=self.slow(30))
        self.wait_for_tiles(2, first)
        second = self.start(*STORE, "--resume", "--quiet")
        time.sleep(0.2)
        first.kill()
        first.communicate()
        out, err = second.communicate(timeout=120)
        self.assertEqual((second.returncode, err), (DONE, ""))
        self.assertTrue(self.bytes_of() == self.wanted())

    def test_reads_while_written(self):
        for layout in ("full", "tiles"):
            self.clear()
            whole = npy_util.load(self.wanted())
            process = self.start(*STORE, "--layout", layout, "--quiet", env=self.slow())
            self.wait_for_tiles(1, process)
            place, there, missing = random.Random(4), 0, 0
            while process.poll() is None:
                i, j = place.randrange(N - 5), place.randrange(N - 7)
                got = self.run_command("store", "read", "k.npy", "--rows", f"{i}:{i + 5}", "--cols", f"{j}:{j + 7}", "-o", "b.npy")
                if got.code == DONE:
                    there += 1
                    want = [whole.values[r * N + j : r * N + j + 7] for r in range(i, i + 5)]
                    self.assertTrue(self.read("b.npy").rows() == want, (i, j))
                else:
                    missing += 1
                    self.check_refusal(got, FAILED, ["k.npy", "is not there yet"])
            process.communicate()
            self.assertEqual(process.returncode, DONE)
            self.assertGreater(min(there, missing), 0, layout)


class Faults(Store):
    """Disks that are full or broken."""

    def resume(self):
        self.assertLess(self.info()["recorded"], TILES)
        self.succeed("store", "check", "k.npy")
        self.succeed(*STORE, "--resume", "--quiet")
        self.assertTrue(self.bytes_of() == self.wanted())
        self.succeed("store", "check", "k.npy")

    def test_writes_that_fail(self):
        for what, words in (("ENOSPC", "no space left"), ("EIO", "input/output error")):
            for at in (10, 500, 4001):
                self.clear()
                result = self.faulty(f"write:{at}:{what}", *STORE)
                self.check_refusal(result, FAILED, ["k.npy", words, f"of {TILES} tiles", "--resume"])
                self.resume()

    def test_journals_that_cannot_be_written(self):
        self.succeed(*STORE, "--part", "1/9", "--quiet")
        self.check_refusal(self.faulty("write:5:EIO", *STORE, "--resume", files=".journal"), FAILED, ["input/output error", "--resume"])
        self.resume()

    def test_syncs_that_fail(self):
        """What the system may have dropped is not taken for recorded."""
        self.succeed(*STORE, "--part", "1/9", "--quiet")
        begun = self.info()["recorded"]
        self.check_refusal(self.faulty("sync:1:EIO", *STORE, "--resume", files="k.npy"), FAILED, ["to the disk", "--resume"])
        self.assertEqual((self.info()["recorded"], self.info()["synced"]), (begun, begun))
        self.resume()

    def test_short_writes(self):
        self.assertEqual(self.faulty("write:77:short", *STORE, "--quiet").code, DONE)
        self.assertTrue(self.bytes_of() == self.wanted())

    def test_no_room_from_the_beginning(self):
        result = self.faulty("reserve:1:ENOSPC", *STORE, files="k.npy")
        self.check_refusal(result, FAILED, ["k.npy", "needs 2 MiB", "no space left"])
        self.resume()
        self.clear()
        self.check_refusal(self.faulty("reserve:1:ENOSPC", *STORE), FAILED, ["no space left"])
        self.assertEqual([p.name for p in self.folder.iterdir()], ["x.npy"])

    def test_limit_on_the_size_of_files(self):
        limit = len(self.wanted()) // 2

        def less():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

        self.check_refusal(self.run_command(*STORE, preexec_fn=less), FAILED, ["k.npy", "file too large"])
        self.resume()

    def test_small_disk(self):
        """A real file system that is full: a tmpfs, where this user may mount one."""
        script = """
            set -e
            mount -t tmpfs -o size=1m none disk
            cp x.npy disk/x.npy; cd disk
            rc=0; "$@" 2>../err || rc=$?
            echo $rc >../first
            mount -o remount,size=8m .
            "$@" --resume --quiet
            cp k.npy ../k.npy; cp k.npy.journal ../k.npy.journal
        """
        self.path("disk").mkdir()
        if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
            self.skipTest("no user namespaces")
        run = subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", cli.command, *map(str, STORE)], cwd=self.folder,
                             env=cli.environment, capture_output=True, text=True, timeout=cli.TIMEOUT)
        if "mount" in run.stderr:
            self.skipTest(run.stderr)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(self.path("first").read_text(), "1\n")
        self.assertIn("no space left", self.path("err").read_text())
        self.assertTrue(self.bytes_of() == self.wanted())
        shutil.rmtree(self.path("disk"))


class Damage(Store):
    """A byte that flips, wherever, is found, named and put right."""

    def offset(self, i, j):
        return len(self.wanted()) - 4 * N * N + 4 * (i * N + j)

    def check_and_repair(self, pristine, damaged, words):
        self.put({**pristine, **damaged})
        found = self.run_command("store", "check", "k.npy")
        self.assertEqual((found.code, len(found.lines)), (FAILED, 1), found)
        for word in words:
            self.assertIn(word, found.out.decode())
        repaired = self.run_command("store", "repair", "k.npy", "--quiet")
        self.assertEqual(repaired.code, DONE, repaired)
        self.assertTrue(self.files() == pristine, words)
        self.succeed("store", "check", "k.npy")

    def flipped(self, data, at):
        copy = bytearray(data)
        copy[at] ^= 1 << at % 8
        return bytes(copy)

    def test_flips(self):
        self.succeed(*STORE, "--quiet")
        pristine = self.files()
        k, journal = pristine["k.npy"], pristine["k.npy.journal"]
        self.assertEqual(len(journal), 2 * HEADER + RECORD * TILES)
        tile = 10 * 11 // 2 + 3  # (10, 3)
        record = 2 * HEADER + RECORD * tile
        for at, words in ((self.offset(640, 192), ["tile (10, 3)", "row 640", "column 192", "checksum"]),
                          (self.offset(699, 255) + 3, ["tile (10, 3)", "checksum"]),
                          (self.offset(255, 699), ["tile (10, 3)", "mirror"]),
                          (self.offset(100, 101), ["tile (1, 1)", "checksum"]), (len(k) - 1, ["tile (10, 10)"]), (3, ["header"]),
                          (100, ["header"])):
            self.check_and_repair(pristine, {"k.npy": self.flipped(k, at)}, words)
        for at in (0, 4, 16, 63):
            self.check_and_repair(pristine, {"k.npy.journal": self.flipped(journal, record + at)}, ["tile (10, 3)", "record"])
        for at in (0, 20, 57, 260, HEADER - 1, HEADER + 16, 2 * HEADER - 1):
            self.check_and_repair(pristine, {"k.npy.journal": self.flipped(journal, at)}, ["header", "journal"])

    def test_resume_computes_damaged_tiles_again(self):
        self.succeed(*STORE, "--quiet")
        pristine = self.files()
        self.put({"k.npy": self.flipped(pristine["k.npy"], self.offset(640, 192))})
        result = self.run_command(*STORE, "--resume", "--json")
        self.assertEqual(result.code, DONE)
        self.assertIn("tile (10, 3)", result.err)
        report = json.loads(result.out.splitlines()[-1])
        self.assertEqual((report["struck"], report["computed"]), (1, 1))
        self.assertTrue(self.files() == pristine)

    def test_sizes(self):
        self.succeed(*STORE, "--quiet")
        pristine = self.files()
        k, journal = pristine["k.npy"], pristine["k.npy.journal"]
        for damaged, words in (({"k.npy": k[: len(k) // 2]}, ["cut short", str(len(k))]), ({"k.npy": k + b"x"}, ["too long"]),
                               ({"k.npy": b""}, ["cut short"]), ({"k.npy.journal": journal[: 2 * HEADER + 640]}, ["journal", "cut short"]),
                               ({"k.npy.journal": journal[: 2 * HEADER]}, ["journal", "cut short"]),
                               ({"k.npy.journal": journal[: HEADER + 5]}, ["journal", "cut short"]),
                               ({"k.npy.journal": journal + bytes(64)}, ["journal", "too long"])):
            self.put({**pristine, **damaged})
            self.check_refusal(self.run_command(*STORE, "--resume"), FAILED, ["k.npy", words[0], "repair"])
            self.check_and_repair(pristine, damaged, words)
        self.put(pristine)
        self.path("k.npy").unlink()
        self.check_refusal(self.run_command(*STORE, "--resume"), FAILED, ["k.npy", "no file", "repair"])
        self.succeed("store", "repair", "k.npy", "--quiet")
        self.assertTrue(self.files() == pristine)

    def test_journals_that_are_none(self):
        self.succeed(*STORE, "--quiet")
        journal = self.bytes_of("k.npy.journal")

        def with_field(at, value):
            return b"".join(h[:at] + value + h[at + len(value) :] for h in (journal[:HEADER], journal[HEADER : 2 * HEADER])) + journal[2 * HEADER :]

        noise = random.Random(5).randbytes
        for content, words in ((b"", "cut short"), (journal[:100], "cut short"), (journal[: HEADER - 1], "cut short"),
                               (with_field(16, b"\2\0\0\0"), "version"), (with_field(0, b"isogram cache 1"), "not one of a store"),
                               (with_field(20, b"\xff\xff\xff\xff"), "impossible size"), (with_field(20, bytes(4)), "impossible size"),
                               (with_field(32, b"\xff" * 8), "checksum"), (noise(len(journal)), "not one of a store"),
                               (bytes(len(journal)), "not one of a store")):
            self.path("k.npy.journal").write_bytes(content)
            for args in (["store", "info", "k.npy"], ["store", "check", "k.npy"], ["store", "read", "k.npy", "-o", "b.npy"],
                         ["store", "repair", "k.npy"], [*STORE, "--resume"]):
                self.check_refusal(self.run_command(*args), FAILED, ["k.npy.journal", words])

    def test_repair_elsewhere(self):
        """Inputs that have moved are given; what are others is refused."""
        self.succeed(*STORE, "--quiet")
        pristine = self.files()
        self.put({"k.npy": self.flipped(pristine["k.npy"], 5000)})
        self.path("x.npy").rename(self.path("moved.npy"))
        self.check_refusal(self.run_command("store", "repair", "k.npy"), FAILED, ["x.npy"])
        self.path("other.npy").write_bytes(points(N, D, 7))
        self.check_refusal(self.run_command("store", "repair", "k.npy", "--x", "other.npy"), FAILED, ["content of X"])
        self.succeed("store", "repair", "k.npy", "--x", "moved.npy", "--quiet")
        self.assertTrue(self.files() == pristine)

    def test_repair_of_all_parameters(self):
        self.save("w.npy", "<f8", (N,), [1 + i % 7 for i in range(N)])
        self.save("m.npy", "|u1", (N,), [i % 3 > 0 for i in range(N)])
        self.path("y.npy").write_bytes(points(70, D, 2))
        for options in (["--factors", "w.npy", "--include", "m.npy", "--lengthscale", "1,2,3,0.1", "--half"],
                        ["--kernel", "2*rbf(sigma=0.3) + linear", "--arithmetic", "unfused", "--layout", "tiles"], ["y.npy", "--gamma", "0.1"]):
            self.clear()
            self.succeed("gram", "x.npy", *options, "-o", "k.npy", "--tile", 128, "--quiet")
            pristine = self.files()
            self.put({"k.npy": self.flipped(pristine["k.npy"], 50000)})
            self.assertEqual(self.run_command("store", "check", "k.npy", "--quiet").code, FAILED)
            self.assertEqual(self.run_command("store", "repair", "k.npy", "--quiet").code, DONE)
            self.assertTrue(self.files() == pristine, options)


class Refusals(Store):
    def test_other_stores(self):
        self.succeed(*STORE, "--part", "1/3", "--quiet")
        before = self.files()
        self.path("other.npy").write_bytes(points(N, D, 8))
        self.path("fewer.npy").write_bytes(points(N - 1, D, 8))
        self.path("wider.npy").write_bytes(points(N, D + 1, 8))
        self.save("w.npy", "<f8", (N,), [1] * N)
        self.save("m.npy", "|u1", (N,), [2] * N)
        base = ["gram", "x.npy", "--sigma", "2", "-o", "k.npy", "--tile", SIDE, "--resume"]
        for args, words in ((["gram", "x.npy", "--sigma", "3", *base[4:]], ["kernel", "rbf(sigma=2)", "rbf(sigma=3)"]),
                            (["gram", "x.npy", "--gamma", "2", *base[4:]], ["kernel", "rbf(gamma=2)"]),
                            ([*base, "--kernel", "matern32"], ["kernel", "matern32"]), ([*base, "--arithmetic", "unfused"], ["contract", "unfused"]),
                            ([*base, "--half"], ["element type", "float16"]), ([*base, "--layout", "tiles"], ["layout", "tiles"]),
                            (["gram", "other.npy", *base[2:]], ["content of X"]), (["gram", "fewer.npy", *base[2:]], ["rows", "700", "699"]),
                            (["gram", "wider.npy", *base[2:]], ["dimension", "4", "5"]), (["gram", "x.npy", "x.npy", *base[2:]], ["content of Y", "none"]),
                            ([*base, "--factors", "w.npy"], ["factors", "none"]), ([*base, "--include", "m.npy"], ["include", "none"]),
                            ([*base[:6], "--tile", "128", "--resume"], ["side of tiles", "64", "128"]),
                            (["gram", "x.npy", "--lengthscale", "2,2,2,2", *base[4:]], ["kernel"])):
            with self.subTest(args=args):
                self.check_refusal(self.run_command(*args), FAILED, ["k.npy", "something else", *words])
        self.check_refusal(self.run_command(*STORE), FAILED, ["there already", f"of {TILES} tiles", "resume"])
        self.assertTrue(self.files() == before)

    @needs_f64
    def test_other_precision(self):
        self.succeed(*STORE, "--part", "1/3", "--quiet")
        self.check_refusal(self.run_command(*STORE, "--resume", "--precision", "f64"), FAILED, ["element type", "float64"])

    def test_two_writers_with_different_parameters(self):
        first = self.start(*STORE, env=self.slow())
        self.wait_for_tiles(2, first)
        self.check_refusal(self.run_command("gram", "x.npy", "--sigma", "3", "-o", "k.npy", "--tile", SIDE, "--resume"), FAILED, ["kernel", "sigma=3"])
        first.communicate(timeout=120)
        self.assertEqual(first.returncode, DONE)
        self.assertTrue(self.bytes_of() == self.wanted())

    def test_paths(self):
        self.path("precious.npy").write_bytes(b"precious")
        self.path("link.npy").symlink_to("precious.npy")
        self.path("dangling.npy").symlink_to("nothing")
        self.path("folder.npy").mkdir()
        os.mkfifo(self.path("pipe.npy"))
        self.path("j.npy.journal").symlink_to("precious.npy")
        before = self.names()
        store = ["gram", "x.npy", "--sigma", "2", "--resume", "-o"]
        for name, words in (("precious.npy", "no store"), ("link.npy", "symbolic link"), ("dangling.npy", "symbolic link"), ("folder.npy", "a directory"),
                            ("pipe.npy", "pipe"), ("/dev/null", "device"), ("/dev/full", "device"), ("j.npy", "symbolic link"), ("-", "standard output"),
                            ("missing/k.npy", "no such file"), ("k" * 250, "too long"), (".", "directory"), ("x.npy/k.npy", "not a directory")):
            result = self.run_command(*store, name)
            self.check_refusal(result, result.code, [words, name if name not in "-." else ""])
            self.assertNotEqual(result.code, DONE)
        self.assertEqual(self.names(), before)
        self.assertEqual(self.bytes_of("precious.npy"), b"precious")
        for verb in ("info", "check", "repair"):
            self.check_refusal(self.run_command("store", verb, "precious.npy"), FAILED, ["precious.npy", "no journal"])

    def names(self):
        return sorted(p.name for p in self.folder.iterdir())

    def test_unwritable_directory(self):
        self.path("locked").mkdir()
        os.chmod(self.folder, 0o755)
        os.chmod(self.path("locked"), 0o555)
        other = dict(user=65534, group=65534, extra_groups=[]) if os.geteuid() == 0 else {}
        self.path("pocl").mkdir()
        os.chmod(self.path("pocl"), 0o777)
        env = {"ISOGRAM_CACHE_DIR": "off", "HOME": "/nonexistent", "POCL_CACHE_DIR": str(self.path("pocl"))} if other else {}
        try:
            result = self.run_command("gram", "x.npy", "--store", "-o", "locked/k.npy", "--quiet", env=env, **other)
        except PermissionError as error:
            self.skipTest(f"the command cannot be run as another user: {error}")
        if "permission denied" not in result.err.lower() and result.code == FAILED:
            self.skipTest(f"the command cannot be run as another user: {result.err}")
        self.check_refusal(result, FAILED, ["locked/k.npy", "permission denied"])
        self.assertEqual(list(self.path("locked").iterdir()), [])

    def test_usage(self):
        store = ["gram", "x.npy", "-o", "k.npy"]
        for args, words in ((["--memory", "x"], "--memory 'x'"), (["--memory", "0"], "--memory '0'"), (["--memory", "5Q"], "--memory"),
                            (["--tile", "100"], "--tile '100'"), (["--tile", "0"], "--tile"), (["--workers", "0"], "--workers '0'"),
                            (["--part", "3/2"], "--part '3/2'"), (["--part", "1"], "--part '1'"), (["--layout", "rows"], "--layout 'rows'"),
                            (["--store", "--packed"], "--layout tiles"), (["--store", "--plot", "p.png"], "--plot"), (["--store", "--repeat", "2"], "--repeat"),
                            (["--store", "--method", "fast"], "fast"), (["--workers", "2", "--part", "1/2"], "--part"),
                            (["--layout", "tiles", "x.npy"], "symmetric")):
            self.check_refusal(self.run_command(*store, *args), USAGE, words)
        self.check_refusal(self.run_command("gram", "x.npy", "--store", "--json"), USAGE, "--output")
        self.check_refusal(self.run_command("gram", "-", "--workers", "2", "-o", "k.npy"), USAGE, "standard input")
        for args, words in ((["store"], "info|check"), (["store", "info"], "which file"), (["store", "look", "k.npy"], "look"),
                            (["store", "info", "a", "b"], "one file"), (["store", "read", "k.npy"], "--output"),
                            (["store", "info", "k.npy", "-o", "b.npy"], "--output"), (["store", "check", "k.npy", "--rows", "1:2"], "--rows")):
            self.check_refusal(self.run_command(*args), USAGE, words)
        self.check_refusal(self.run_command(*store, "--memory", "1K"), FAILED, ["memory", "64"])
        self.assertEqual(self.names(), ["x.npy"])


def main():
    global layer
    if len(sys.argv) < 3:
        sys.exit("usage: test_cli_store.py PATH_TO_ISOGRAM FAULT_LAYER [unittest's arguments]")
    layer = os.path.abspath(sys.argv[2])
    del sys.argv[2]
    cli.main("test_cli_store.py")


if __name__ == "__main__":
    main()
