#!/usr/bin/env python3
"""Text from outside stays text, and nothing is looked for where strangers may have put it: test_security.py ISOGRAM LIBRARY LAYER

Names of devices, the environment, covariance functions and file names are made to look like options, formats, control characters and
shell; folders of caches and stores are reached through links of other users, which takes root: those tests are skipped elsewhere.
LAYER is tests/record_layer.c, which writes down what programs are built with; "none" where the loader takes no layers.
"""
import ctypes
import os
import re
import shutil
import subprocess
import sys


import cli
import npy_util
from cli import DONE, FAILED, USAGE

STRANGER = 65534
GRID = ["grid", "--size", "7", "--sigma", "1.5", "-o", "g.npy"]
POINTS = npy_util.dump("<f4", (5, 2), [0.25 * i for i in range(10)])
HOSTILE = ['a"b\'c\\ -D FUSED=1 -cl-fast-relaxed-math', "%n%s%s%s%999999d", "two\nlines\r\x1b[2J\x07", "$(touch pwned);`touch pwned`|touch pwned",
           "../../etc/passwd", "x" * 200]
# What builds may be told: names of macros with numbers, or with an expression of the library's own functions and numbers.
OPTIONS = re.compile(r"(-cl-std=CL1\.2 )?(-D [A-Z][A-Z0-9_]*=[\w(),.*+-]+ ?)+")

library = layer = None


def as_root(test):
    def checked(self):
        if os.geteuid() != 0:
            self.skipTest("only root makes links of other users")
        test(self)

    return checked


def with_layer(test):
    def checked(self):
        if layer == "none":
            self.skipTest("the loader takes no layers")
        test(self)

    return checked


class Case(cli.Case):
    def check_clean(self, *texts):
        for text in texts:
            self.assertIsNone(re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), repr(text))
        self.assertEqual([path for path in self.folder.rglob("pwned*")], [])

    def builds(self, *args, code=DONE, **env):
        """Runs the command, every program of which is built anew; the result and the options of its builds."""
        folder = self.fresh_folder()
        result = self.run_command(*args, env={"OPENCL_LAYERS": layer, "ISOGRAM_RECORD": folder, "ISOGRAM_CACHE_DIR": "off", **env})
        self.assertEqual(result.code, code, result)
        builds = folder / "builds"
        return result, [line.split("\t", 1)[1] for line in builds.read_text().splitlines()] if builds.exists() else []


class Names(Case):
    @with_layer
    def test_devices(self):
        self.succeed(*GRID)
        right = self.path("g.npy").read_bytes()
        for name in HOSTILE:
            with self.subTest(name=name):
                self.path("g.npy").unlink()
                result, options = self.builds(*GRID, ISOGRAM_AS_NAME=name)
                self.assertEqual(self.path("g.npy").read_bytes(), right)
                self.check_clean(result.out.decode(), result.err)
                self.assertTrue(options)
                for text in options:
                    self.assertIsNotNone(OPTIONS.fullmatch(text), text)
                result, _ = self.builds("devices", ISOGRAM_AS_NAME=name)
                self.check_clean(result.out.decode(), result.err)
                shown = re.sub(r"[\x00-\x1f\x7f]", " ", name)[:200]
                self.assertIn(shown, result.out.decode())
                result, _ = self.builds("devices", "--json", ISOGRAM_AS_NAME=name)
                self.assertTrue(all(device["name"].startswith(shown) for device in result.json["devices"]))

    @with_layer
    def test_cached_under_a_hostile_name(self):
        for name in HOSTILE:
            cache = self.fresh_folder() / "cache"
            for _ in range(2):  # written, and read
                self.succeed(*GRID, env={"OPENCL_LAYERS": layer, "ISOGRAM_AS_NAME": name, "ISOGRAM_CACHE_DIR": cache})
            files = os.listdir(cache)
            self.assertTrue(files)
            for file in files:
                self.assertRegex(file, r"^[0-9a-f]{32}$")

    def test_device_specs(self):
        for spec in [*HOSTILE, "99999999999999999999:0", "0:99999999999999999999", "-1:0", "+0:0", " 0:0"]:
            with self.subTest(spec=spec):
                for result in [self.run_command(*GRID, env={"ISOGRAM_DEVICE": spec}), self.run_command(*GRID, "--device", spec)]:
                    self.check_refusal(result, FAILED, "no opencl device fits")
                    self.check_clean(result.err)

    def test_cache_folders(self):
        for name in [*(text.replace("/", "_")[:200] for text in HOSTILE), "-o", " ", "*"]:
            with self.subTest(name=name):
                for _ in range(2):
                    self.succeed(*GRID, env={"ISOGRAM_CACHE_DIR": self.path(name)})
                self.assertTrue(os.listdir(self.path(name)))
                shutil.rmtree(self.path(name))
        for name in ["x/" * 3000, "x" * 300, "/dev/null/x\n%n%s"]:
            result = self.run_command(*GRID, env={"ISOGRAM_CACHE_DIR": name})
            self.assertEqual((result.code, len(result.lines)), (DONE, 1), result)
            self.assertIn("no program cache in", result.err)
            self.check_clean(result.err)

    def test_files(self):
        for name in HOSTILE:
            name = name.replace("/", "_")[:200]
            result = self.run_command("gram", f"{name}.npy", "--sigma", 1, "-o", "k.npy")
            self.check_refusal(result, FAILED, re.sub(r"[\x00-\x1f\x7f]", " ", name)[:60])
            self.check_clean(result.err)
            self.path(f"{name}.npy").write_bytes(POINTS)
            self.succeed("gram", f"./{name}.npy", "--sigma", 1, "-o", f"./{name}.out.npy")
            self.assertTrue(self.path(f"{name}.out.npy").exists())


class Functions(Case):
    def test_refused(self):
        self.path("x.npy").write_bytes(POINTS)
        for text in ["rbf -D FUSED=1", "rbf(gamma=1) -cl-fast-relaxed-math", "rbf(gamma=1 -D LANES=4)", "rbf(gamma=\"1\")", "f_rbf", "real_sum(rbf,rbf)",
                     "rbf\n#include <x>", "rbf;rbf", "rbf(gamma=%n)", "rbf)", "%n%s%s*rbf", "rbf(f_rbf=1)", "rbf\x1b[2J", "1,5*rbf", "1e999*rbf",
                     "nan*rbf", "0x1p-3000*rbf", "rbf" * 5000, "(" * 5000, "2*" * 5000 + "rbf"]:
            with self.subTest(text=text[:40]):
                result = self.run_command("gram", "x.npy", "--kernel", text, "-o", "k.npy")
                self.assertIn(result.code, (FAILED, USAGE), result)
                self.assertEqual(len(result.lines), 1, result)
                self.check_clean(result.err)

    @with_layer
    def test_options_of_what_is_taken(self):
        self.path("x.npy").write_bytes(POINTS)
        for text in [" rbf ( gamma = 0x1.8p-3 ) ", "1e-3*rbf(sigma=.5)+ linear*cosine", "rational_quadratic(alpha=0.3)*(rbf + 2*laplacian)"]:
            _, options = self.builds("gram", "x.npy", "--kernel", text, "-o", "k.npy")
            self.assertTrue(any("VALUE" in o for o in options), options)
            for o in options:
                self.assertIsNotNone(OPTIONS.fullmatch(o), o)

    def test_rows_of_strangers(self):
        """A row that is none of the library's, whose formula would be put into a program."""
        lib = ctypes.CDLL(library)
        lib.isg_kernel_find.restype = ctypes.c_void_p
        copy = ctypes.create_string_buffer(ctypes.string_at(lib.isg_kernel_find(b"rbf"), 64), 4096)

        class Params(ctypes.Structure):
            _fields_ = [("kernel", ctypes.c_void_p), ("scales", ctypes.c_double * 3), ("settings", ctypes.c_void_p), ("count", ctypes.c_int32)]

        made, error = ctypes.c_void_p(), ctypes.create_string_buffer(4096)
        for row, right in [(lib.isg_kernel_find(b"rbf"), True), (ctypes.addressof(copy), False), (lib.isg_kernel_find(b"rbf") + 8, False)]:
            status = lib.isg_kernel_single(ctypes.byref(made), ctypes.byref(Params(kernel=row)), error)
            self.assertEqual(status == 0, right, error.raw[4:100])
            self.assertEqual(bool(lib.isg_kernel_has_gradient(ctypes.c_void_p(row))), right)
            lib.isg_composite_destroy(ctypes.byref(made))


IN_LOCALE = """
import ctypes, locale, sys
locale.setlocale(locale.LC_ALL, "xx_XX")
assert locale.localeconv()["decimal_point"] == ",", locale.localeconv()
lib = ctypes.CDLL(sys.argv[1])
made, error, text = ctypes.c_void_p(), ctypes.create_string_buffer(4096), ctypes.create_string_buffer(400)
def parse(words):
    return lib.isg_kernel_parse(ctypes.byref(made), words, error)
assert parse(b"1.5*rbf(gamma=0.25) + 2e-3*linear") == 0, error.raw[4:200]
lib.isg_composite_text(made, text, ctypes.c_size_t(400))
assert text.value == b"1.5*rbf(gamma=0.25) + 0.002*linear", text.value
assert parse(b"1,5*rbf") != 0
lib.isg_kernel_multiple.argtypes = [ctypes.c_void_p, ctypes.c_double, ctypes.c_void_p, ctypes.c_void_p]
error = ctypes.create_string_buffer(4096)
assert lib.isg_kernel_multiple(ctypes.addressof(made), -0.5, None, ctypes.addressof(error)) != 0
assert b"-0.5" in error.raw, error.raw[:200]
assert locale.localeconv()["decimal_point"] == ","  # the process's own is as it was
"""
SOURCE = """comment_char %
escape_char /
LC_CTYPE
copy "POSIX"
END LC_CTYPE
LC_NUMERIC
decimal_point ","
thousands_sep "."
grouping 3;3
END LC_NUMERIC
"""


class Locale(Case):
    def test_numbers(self):
        """Where a comma stands in numbers: a locale of our own, for those of the system are seldom there."""
        if not shutil.which("localedef"):
            self.skipTest("no localedef")
        self.path("source").write_text(SOURCE)
        made = subprocess.run(["localedef", "-c", "-f", "ANSI_X3.4-1968", "-i", "source", "./xx_XX"], cwd=self.folder, check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not self.path("xx_XX").exists():
            self.skipTest(f"localedef makes no locale here ({made.returncode})")
        done = subprocess.run([sys.executable, "-c", IN_LOCALE, library], check=False, stderr=subprocess.PIPE, text=True,
                              env={**cli.environment, "LOCPATH": str(self.folder), "LC_ALL": "C"})
        self.assertEqual(done.returncode, 0, done.stderr)


class Links(Case):
    """A cache or store behind a link: followed if it is no stranger's."""

    def setUp(self):
        super().setUp()
        self.own = self.path("own")
        self.own.mkdir(0o700)
        self.path("x.npy").write_bytes(POINTS)

    def cache(self, path, used):
        result = self.run_command(*GRID, env={"ISOGRAM_CACHE_DIR": path})
        self.assertEqual(result.code, DONE, result)
        self.assertEqual(result.err == "", used, result)
        if not used:
            self.assertIn("no program cache in", result.err)

    def store(self, path, used):
        result = self.run_command("gram", "x.npy", "--sigma", 1, "--store", "-o", f"{path}/k.npy", "--quiet")
        self.assertEqual(result.code, DONE if used else FAILED, result)
        self.assertEqual((self.own / "k.npy").exists(), used)
        if used:
            for file in self.own.glob("k.npy*"):
                file.unlink()

    def link_in(self, mode, folder_owner, link_owner):
        """A link to the own folder, of some owner in a folder of some owner and mode."""
        folder = self.fresh_folder()
        link = folder / "link"
        link.symlink_to(self.own)
        os.lchown(link, link_owner, link_owner)
        os.chown(folder, folder_owner, folder_owner)
        os.chmod(folder, mode)
        return link

    def test_own(self):
        link = self.path("link")
        link.symlink_to(self.own)
        self.path("again").symlink_to("link")
        for path in [link, self.path("again"), f"{self.folder}/own/../link/.", "link"]:
            self.cache(path, True)
            self.assertTrue(os.listdir(self.own))
            for file in self.own.iterdir():
                file.unlink()
            self.store(path, True)
        self.path("round").symlink_to("round")
        self.cache(self.path("round"), False)

    @as_root
    def test_strangers(self):
        for mode in (0o1777, 0o777):
            link = self.link_in(mode, 0, STRANGER)
            for path in (link, link / "deeper"):
                self.cache(path, False)
            self.store(link, False)
        self.assertEqual(os.listdir(self.own), [])

    @as_root
    def test_of_a_link(self):
        """A link of one's own that leads to a stranger's."""
        link = self.path("mine")
        link.symlink_to(self.link_in(0o1777, 0, STRANGER))
        self.cache(link, False)
        self.store(link, False)

    @as_root
    def test_trusted(self):
        for mode, folder_owner, link_owner in [(0o1777, 0, 0), (0o755, STRANGER, STRANGER), (0o777, STRANGER, 0)]:
            with self.subTest(mode=oct(mode)):
                self.store(self.link_in(mode, folder_owner, link_owner), True)

    def test_others_may_write(self):
        for mode in (0o777, 0o720, 0o1777):
            os.chmod(self.own, mode)
            self.cache(self.own, False)
        self.assertEqual(os.listdir(self.own), [])

    def test_files_that_others_may_write(self):
        self.cache(self.own, True)
        for file in self.own.iterdir():
            file.chmod(0o666)
        result = self.run_command(*GRID, env={"ISOGRAM_CACHE_DIR": self.own})
        self.assertIn("not a file of this user alone", result.err)
        self.cache(self.own, True)  # made anew
        for file in self.own.iterdir():
            self.assertEqual(file.stat().st_mode & 0o777, 0o600)

    @as_root
    def test_files_of_strangers(self):
        self.cache(self.own, True)
        for file in self.own.iterdir():
            os.chown(file, STRANGER, STRANGER)
        result = self.run_command(*GRID, env={"ISOGRAM_CACHE_DIR": self.own})
        self.assertEqual(result.code, DONE)
        self.assertIn("not a file of this user alone", result.err)

    def test_files_are_not_followed(self):
        """A link in the place of the store itself, of its journal, and of a cache's file."""
        precious = self.path("precious")
        precious.write_bytes(b"precious")
        for name in ("k.npy", "k.npy.journal"):
            (self.own / name).symlink_to(precious)
            result = self.run_command("gram", "x.npy", "--sigma", 1, "--store", "-o", "own/k.npy", "--quiet")
            self.check_refusal(result, FAILED, "symbolic link")
            (self.own / name).unlink()
        self.cache(self.own, True)
        for file in list(self.own.iterdir()):
            file.unlink()
            file.symlink_to(precious)
        self.run_command(*GRID, env={"ISOGRAM_CACHE_DIR": self.own})
        self.assertEqual(precious.read_bytes(), b"precious")


if __name__ == "__main__":
    library, layer = map(os.path.abspath, sys.argv[2:4]) if len(sys.argv) > 3 else sys.exit(__doc__)
    layer = "none" if sys.argv[3] == "none" else layer
    del sys.argv[2:4]
    cli.main("test_security.py")
