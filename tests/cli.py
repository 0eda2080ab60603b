"""What the tests of the command share: a place to run it in, a way to call it, and checks of what it leaves behind.

Nothing outside the run's own temporary folder is touched: it holds the working directories, isogram's cache, and a HOME; and
PoCL's cache, unless the caller has chosen another (POCL_CACHE_DIR): tests share one, so that programs which many of them need
are compiled once. Platform and device are the caller's choice, too (OCL_ICD_VENDORS, ISOGRAM_DEVICE).
"""
import contextlib
import functools
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import zlib
from pathlib import Path

import npy_util

DONE, FAILED, USAGE = 0, 1, 2
ALL = os.environ.get("ISOGRAM_TEST_ALL", "0") not in ("", "0")
SEED = int(os.environ.get("ISOGRAM_TEST_SEED", "1"), 0)
TIMEOUT = 300  # seconds, also on a busy machine; a run of the command that takes longer hangs

command = None  # path of the command under test
root = None  # the run's temporary folder
environment = {}


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err.decode("utf-8", "replace")

    @property
    def lines(self):
        """The lines on standard error."""
        return self.err.splitlines()

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit code {self.code}, {len(self.out or '')} bytes on standard output, on standard error {self.err!r}"


def run(*args, cwd, stdin=None, stdout=subprocess.PIPE, env=None, timeout=TIMEOUT, **options):
    """Runs the command. stdin: bytes or an open file. env: changes to the environment, None removes."""
    variables = {**environment, **(env or {})}
    source = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin or subprocess.DEVNULL}
    done = subprocess.run([command, *map(str, args)], cwd=cwd, stdout=stdout, stderr=subprocess.PIPE, timeout=timeout,
                          env={k: v for k, v in variables.items() if v is not None}, **source, **options)
    return Result(done.returncode, done.stdout, done.stderr)


def snapshot(folder):
    """Name, kind, time and content of everything in a folder, hidden files included."""
    content = {}
    for entry in os.scandir(folder):
        about = entry.stat(follow_symlinks=False)
        data = Path(entry.path).read_bytes() if entry.is_file(follow_symlinks=False) else None
        target = os.readlink(entry.path) if entry.is_symlink() else None
        content[entry.name] = (about.st_mode, about.st_ino, about.st_mtime_ns, data, target)
    return content


def png_size(data):
    """Width and height of a PNG whose chunks, checksums and pixel data are whole; ValueError otherwise."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG file")
    at, chunks = 8, []
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body, (crc,) = data[at + 8 : at + 8 + length], struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        if zlib.crc32(kind + body) != crc:
            raise ValueError(f"the checksum of {kind} is wrong")
        chunks.append((kind, body))
        at += 12 + length
    if chunks[0][0] != b"IHDR" or chunks[-1][0] != b"IEND":
        raise ValueError("IHDR is not first or IEND not last")
    width, height, depth, colours = struct.unpack(">IIBB", chunks[0][1][:10])
    pixels = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    if (depth, colours) != (8, 2) or len(pixels) != height * (1 + 3 * width):
        raise ValueError("the pixels are not those of an RGB image of its size")
    return width, height


def taken(name, one_of):
    """Whether an ordinary run makes this test: one of so many, as the seed says; all in suite `exhaustive` (ISOGRAM_TEST_ALL)."""
    return ALL or (zlib.crc32(name.encode()) + SEED) % one_of == 0


@functools.lru_cache(maxsize=None)
def chosen_device():
    """The entry of `isogram devices --json` for the device that the tests run on."""
    report = run("devices", "--json", cwd=root).json
    return next(d for d in report["devices"] if d["chosen"])


def needs_f64(test):
    """Skips a test where the device has no double precision."""
    @functools.wraps(test)
    def checked(self, *args):
        if "f64" not in chosen_device():
            self.skipTest("the device has no double precision")
        return test(self, *args)

    return checked


class Case(unittest.TestCase):
    """A test with a fresh working directory of its own."""

    longMessage = True

    def setUp(self):
        self.folder = self.fresh_folder()

    def fresh_folder(self):
        return Path(tempfile.mkdtemp(dir=root, prefix="work-"))

    def path(self, name):
        return self.folder / name

    def save(self, name, descr, shape, values, **options):
        self.path(name).write_bytes(npy_util.dump(descr, shape, values, **options))
        return name

    def read(self, name):
        return npy_util.load(self.path(name).read_bytes())

    def run_command(self, *args, **options):
        options.setdefault("cwd", self.folder)
        return run(*args, **options)

    def succeed(self, *args, **options):
        """A run that must do its work, without a word on standard error."""
        result = self.run_command(*args, **options)
        self.assertEqual((result.code, result.err), (DONE, ""), result)
        return result

    def check_refusal(self, result, code, words):
        """The exit code, one line that says what is wrong, nothing on standard output."""
        self.assertEqual(result.code, code, result)
        self.assertEqual(result.out or b"", b"", result)
        self.assertEqual(len(result.lines), 1, result)
        self.assertTrue(result.err.startswith("isogram: ") and result.err.endswith("\n"), result)
        for word in [words] if isinstance(words, str) else words:
            self.assertIn(word.lower(), result.err.lower(), result)

    def check_same(self, before, after):
        """Two snapshots of a folder."""
        self.assertEqual(sorted(before), sorted(after), "the files of the folder have changed")
        for name in before:
            self.assertEqual(before[name], after[name], f"{name} has changed")


@contextlib.contextmanager
def private_place():
    global root, environment
    root = Path(tempfile.mkdtemp(prefix="isogram-test-"))
    os.chmod(root, 0o711)  # for the tests that run the command as another user
    home = root / "home"
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "ISOGRAM_CACHE"))}
    environment.update(HOME=str(home), ISOGRAM_CACHE_DIR=str(root / "cache"), LC_ALL="C")
    environment.setdefault("POCL_CACHE_DIR", str(root / "pocl"))
    try:
        yield
    finally:
        shutil.rmtree(root, ignore_errors=True)


def main(name):
    """Runs the tests of the script `name`: SCRIPT PATH_TO_ISOGRAM [unittest's arguments]."""
    global command
    if len(sys.argv) < 2 or sys.argv[1].startswith("-") or not os.access(sys.argv[1], os.X_OK):
        sys.exit(f"usage: {name} PATH_TO_ISOGRAM [unittest's arguments]")
    command = os.path.abspath(sys.argv[1])
    start = time.monotonic()
    with private_place():
        result = unittest.main(argv=[name, *sys.argv[2:]], exit=False).result
    for test, reason in result.skipped:
        print(f"{name}: skipped {test.id().rpartition('.')[2]}: {reason}")
    bad = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{name}: {result.testsRun} tests, {bad} failed, {len(result.skipped)} skipped, "
          f"{time.monotonic() - start:.1f} s", flush=True)
    sys.exit(0 if bad == 0 and result.testsRun > 0 else 1)
