#!/usr/bin/env python3
"""The command refuses what it cannot do: the exit code, one line that names the culprit and the reason, no traces.

test_cli_errors.py PATH_TO_ISOGRAM [unittest's arguments]
"""
import os
import shutil
import subprocess

import cli
import npy_util
from cli import DONE, FAILED, USAGE

NEW, OLD = "new", "old"  # an output that is not there yet, and one that is and must stay as it is
GRID = ["grid", "--size", "5", "--sigma", "1"]
NUMBERS = [0.5 * i for i in range(12)]
GOOD = npy_util.dump("<f8", (4, 3), NUMBERS)


def raw(fields, data=b""):
    return npy_util.header(f"{{{fields}}}") + data


def shaped(shape, descr="'<f8'", data=b""):
    return raw(f"'descr': {descr}, 'fortran_order': False, 'shape': {shape}", data)


def with_value(value, row, column, descr="<f8"):
    values = list(NUMBERS)
    values[3 * row + column] = value
    return npy_util.dump(descr, (4, 3), values)


class Refusals(cli.Case):
    """A row is run twice: its outputs, OUT.npy and OUT.png, are absent at first and somebody's work the second time."""

    def refuse(self, args, code, words, files=None, outs=(NEW, OLD), **options):
        for out in outs:
            folder = self.fresh_folder()
            for name, content in {"x.npy": GOOD, f"{OLD}.npy": b"precious", f"{OLD}.png": b"precious",
                                  **(files or {})}.items():
                folder.joinpath(name).write_bytes(content)
            before = cli.snapshot(folder)
            with self.subTest(args=args, out=out):
                given = [str(arg).replace("OUT", out) for arg in args]
                self.check_refusal(self.run_command(*given, cwd=folder, **options), code, words)
                self.check_same(before, cli.snapshot(folder))

    def refuse_points(self, content, words, args=(), code=FAILED):
        """A bad file as X, as Y, and through standard input."""
        words = [words] if isinstance(words, str) else words
        bad, k = {"bad.npy": content}, ["-o", "OUT.npy", *args]
        self.refuse(["gram", "bad.npy", *k], code, ["bad.npy", *words], bad, [NEW])
        self.refuse(["gram", "x.npy", "bad.npy", *k], code, ["bad.npy", *words], bad, [OLD])
        self.refuse(["gram", "-", *k], code, ["standard input", *words], outs=[NEW], stdin=content)

    # ---- Usage ----

    def test_usage(self):
        gram, k = ["gram", "x.npy", "-o", "OUT.npy"], ["-o", "OUT.npy"]
        for args, words in [
            (["nonsense"], "nonsense"),
            (["--nonsense"], "nonsense"),
            (["grids"], "grids"),
            (GRID + ["--nonsense", *k], "nonsense"),
            (GRID + ["-z", *k], "z"),
            (["gram", "x.npy", "--size", 3, *k], "size"),
            (["devices", "--sigma", 1], "sigma"),
            (["devices", "-o", "OUT.npy"], "o"),
            (["devices", "--output", "OUT.npy"], "output"),
            (["devices", "--plot", "OUT.png"], "plot"),
            (GRID + ["--s", 3, *k], "--s"),
            (GRID + ["--json=yes"], "json"),
            (["grid", *k, "--sigma", 1, "--size"], "size"),
            (["grid", *k, "--size", 3, "--sigma"], "sigma"),
            (GRID + ["-o"], "o"),
            (gram + ["--gamma"], "gamma"),
            (gram + ["--order"], "order"),
            (GRID + ["extra", *k], "extra"),
            (["devices", "extra"], "extra"),
            (["verify", "extra"], "extra"),
            (["kernels", "extra"], "extra"),
            (["kernels", "-o", "OUT.npy"], "output"),
            (gram + ["--kernel", "nonsense"], ["'nonsense'", "the kernels are rbf, laplacian"]),
            (gram + ["--param", "alpha=2"], ["rbf", "'alpha'"]),
            (gram + ["--param", "alpha"], ["'alpha'", "KEY=VALUE"]),
            (gram + ["--kernel", "rbf+"], ["'rbf+'", "a kernel"]),
            (gram + ["--kernel", "rbf + linear", "--sigma", 1], "brackets"),
            (gram + ["--kernel", "rbf + linear", "--param", "degree=1"], "brackets"),
            (gram + ["--kernel", "polynomial", "--param", "degree=2.5"], ["degree", "whole"]),
            (gram + ["--kernel", "linear", "--sigma", 1], ["linear", "sigma"]),
            (gram + ["--kernel", "rational_quadratic", "--param", "beta=2"], ["alpha", "'beta'"]),
            (gram + ["--kernel", "rational_quadratic", "--param", "alpha=x"], ["x"]),
            (["verify", "-o", "OUT.npy"], "output"),
            (["verify", "--plot", "OUT.png"], "plot"),
            (["gram", "x.npy", "x.npy", "extra.npy", *k], "extra.npy"),
            (["gram", *k], "X.npy"),
            (["gram", "x.npy"], "--output"),
            (["gram", "-", "-", *k], "standard input"),
            (GRID + ["--json", "-o", "-"], ["--json", "--output"]),
            (["gram", "x.npy", "--json", "-o", "-"], ["--json", "--output"]),
            (GRID + ["--plot", "-"], "--plot"),
            (gram + ["--plot", "-"], "--plot"),
            (gram + ["--order", "x.npy"], ["--order", "--plot"]),
            (["gram", "x.npy", "x.npy", "--order", "x.npy", "--plot", "OUT.png"], "--order"),
            (GRID + ["--precision", "f16", *k], ["--precision", "f16"]),
            (GRID + ["--precision", "default", *k], ["--precision", "default"]),
            (GRID + ["--arithmetic", "fast", *k], ["--arithmetic", "fast"]),
        ]:
            self.refuse(args, USAGE, words)

    def test_values_of_grid(self):
        k = ["-o", "OUT.npy", "--plot", "OUT.png"]
        for size in ["0", "-3", "x", "3x", "3x0", "x3", "2x2x2x2x2", "3.5", "99999999999999999999", "", "3X4"]:
            self.refuse(["grid", "--size", size, "--sigma", 1, *k], USAGE, ["--size", f"'{size}'"])
        for sigma in ["0", "abc", "1,", ",1", "1,0", "1,2,3,4,5", "", "1;2", "2x"]:
            self.refuse(["grid", "--size", 3, "--sigma", sigma, *k], USAGE, ["--sigma", f"'{sigma}'"])
        for sigma in ["-1", "nan", "inf", "-inf", "1e400", "1,-1", "1e-300", "1e300"]:
            self.refuse(["grid", "--size", 3, f"--sigma={sigma}", *k], FAILED, "sigma")
        for args, code, words in [
            (["--size", 5], FAILED, "sigma"),
            (["--sigma", 1], FAILED, "size"),
            (["--size", 3, "--sigma", "1,2,3", "--ndim", 2], USAGE, "--sigma"),
            (["--size", "3x3", "--sigma", 1, "--ndim", 3], USAGE, ["--ndim", "--size"]),
            (["--size", 3, "--sigma", 1, "--ndim", 0], USAGE, "--ndim"),
            (["--size", 3, "--sigma", 1, "--ndim", 5], USAGE, "--ndim"),
            (["--size", 3, "--sigma", 1, "--ndim", "two"], USAGE, "--ndim"),
            (["--size", 3, "--sigma", 1, "--from", -1], USAGE, ["--from", "--to"]),
            (["--size", 3, "--sigma", 1, "--to", 1], USAGE, ["--from", "--to"]),
            (["--size", 3, "--sigma", 1, "--from", "a", "--to", 1], USAGE, ["--from", "'a'"]),
            (["--size", 3, "--sigma", 1, "--from=-1,0,1", "--to", 1], USAGE, "--from"),
            (["--size", 3, "--sigma", 1, "--from=nan", "--to", 1], FAILED, "nan"),
            (["--size", 3, "--sigma", 1, "--from=-1", "--to", "inf"], FAILED, "inf"),
            (["--size", 3, "--sigma", 1, "--from=2", "--to=-2", "--sampling", "integrated"], FAILED, "integrated"),
            (["--size", 3, "--sigma", 1, "--from=-2", "--to=2", "--sampling", "delta"], FAILED, "delta"),
            (["--size", 3, "--sigma", 1, "--from=-1", "--to=5", "--sampling", "delta"], FAILED, "delta"),
            (["--size", 3, "--sigma", 1, "--from=-1.5", "--to=1.5", "--sampling", "bessel"], FAILED, "bessel"),
            (["--size", 3, "--sigma", 1, "--sampling", "nearest"], USAGE, ["--sampling", "nearest"]),
            (["--size", 3, "--sigma", 1, "--sampling", "default"], USAGE, "--sampling"),
            (["--size", 3, "--sigma", 1, "--normalize", "all"], USAGE, ["--normalize", "all"]),
            (["--like", "nonsense"], FAILED, "nonsense"),
            (["--like", "mask"], FAILED, "size"),
            (["--like", "gkern", "--nsig", 0], USAGE, "--nsig"),
            (["--like", "gkern", "--nsig", "few"], USAGE, "--nsig"),
            (["--like", "gkern", "--nsig", -1], FAILED, "nsig"),
            (["--like", "gkern", "--nsig", "nan"], FAILED, "nsig"),
        ]:
            self.refuse(["grid", *args, *k], code, words)

    def test_values_of_gram(self):
        gram = ["gram", "x.npy", "-o", "OUT.npy", "--plot", "OUT.png"]
        for scale in ("sigma", "gamma", "lengthscale"):
            for value in ["0", "abc", "", "1,2", "1 2"]:  # how many columns there are is for the file to say
                code = FAILED if (scale, value) == ("lengthscale", "1,2") else USAGE
                self.refuse(gram + [f"--{scale}", value], code, [f"--{scale}", f"'{value}'"])
            for value in ["-1", "nan", "inf", "1e400"]:
                self.refuse(gram + [f"--{scale}={value}"], USAGE, scale)
        for args, code, words in [
            (["--sigma", 1, "--gamma", 1], USAGE, ["sigma", "gamma"]),
            (["--sigma", 1, "--lengthscale", 1], USAGE, ["sigma", "lengthscale"]),
            (["--sigma", "1e-200"], FAILED, "sigma"),
            (["--sigma", "1e200"], FAILED, "sigma"),
            (["--sigma", "1e-50", "--precision", "f32"], FAILED, "lengthscales"),
            (["--kernel", "nonsense"], USAGE, "nonsense"),
            (["--repeat", 0], USAGE, "--repeat"),
            (["--repeat", 1001], USAGE, "--repeat"),
            (["--repeat", "x"], USAGE, "--repeat"),
            (["--method", "quick"], USAGE, ["--method", "quick"]),
            (["--tolerance", "1e-3"], USAGE, ["--tolerance", "--method fast"]),
            (["--method", "fast", "--tolerance", "0"], USAGE, "--tolerance"),
            (["--method", "fast", "--tolerance", "1"], USAGE, "--tolerance"),
            (["--method", "fast", "--tolerance", "nan"], USAGE, "--tolerance"),
            (["--method", "fast", "--kernel", "linear"], FAILED, ["fast", "linear"]),
        ]:
            self.refuse(gram + args, code, words)

    def test_sizes_beyond_any_memory(self):
        for size, words in [("3000000x3000000x3000000", "size"), ("2000000000", "size"),
                            ("200000000x200000000x200000000x200000000", "size")]:
            self.refuse(["grid", "--size", size, "--sigma", 1, "-o", "OUT.npy", "--plot", "OUT.png"], FAILED, words)

    # ---- Devices ----

    def test_no_platform(self):
        for args in [GRID, GRID + ["-o", "OUT.npy"], ["gram", "x.npy", "-o", "OUT.npy"], ["devices"], ["verify"]]:
            self.refuse(args, FAILED, ["OpenCL", "pocl-opencl-icd"],
                        env={"OCL_ICD_VENDORS": "/nonexistent-dir", "OPENCL_VENDOR_PATH": "/nonexistent-dir"})

    def test_unknown_device(self):
        name = cli.chosen_device()["name"]
        for spec in ["no such device", "97:0", "0:97", "-1:0", "0:0:0"]:
            self.refuse(GRID + ["-o", "OUT.npy", "--device", spec], FAILED, [f"'{spec}'", name])
            self.refuse(["gram", "x.npy", "-o", "OUT.npy"], FAILED, [f"'{spec}'", name], env={"ISOGRAM_DEVICE": spec})
        listed = self.run_command("devices", "--device", "no such device")  # the list is still of use
        self.assertEqual((listed.code, len(listed.lines)), (FAILED, 1), listed)
        self.assertFalse([line for line in listed.out.decode().splitlines() if line.startswith("->")])

    # ---- Input files ----

    def test_not_npy(self):
        for content, words in [(b"", "empty"), (b"1 2 3\n4 5 6\n", "not a .npy file"),
                               (b"PK\x03\x04" + bytes(60), "not a .npy file"), (b"\x00" * 500, "not a .npy file"),
                               (GOOD[:6] + b"\x09\x00" + GOOD[8:], "version 9.0"),
                               (GOOD[:8] + b"\xff\xff" + GOOD[10:], "cut short"),
                               (GOOD.replace(b"{", b"["), "malformed header"),
                               (GOOD.replace(b"descr", b"colour"), "header"),
                               (GOOD.replace(b"(4, 3)", b"(-4, 3)"), "shape"),
                               (GOOD.replace(b"(4, 3)", b"four!!"), "shape")]:
            self.refuse_points(content, words)
        self.refuse(["gram", "missing.npy", "-o", "OUT.npy"], FAILED, ["missing.npy", "No such file"])
        self.refuse(["gram", "x.npy", "missing.npy", "-o", "OUT.npy"], FAILED, ["missing.npy", "No such file"])
        self.refuse(["gram", ".", "-o", "OUT.npy"], FAILED, [".:", "directory"])
        self.refuse(["gram", "", "-o", "OUT.npy"], FAILED, "empty file name")

    def test_cut_short(self):
        data = len(GOOD) - 8 * len(NUMBERS)
        for length in [1, 5, 6, 7, 8, 9, 10, 11, data // 2, data - 1, data, data + 1, len(GOOD) - 8, len(GOOD) - 1]:
            self.refuse_points(GOOD[:length], "cut short")

    def test_element_types(self):
        for descr in ["<f16", "<c8", "<c16", ">f8", ">f4", ">f2", ">i4", "|O", "|S8", "<U4", "<M8[ns]", "|V3"]:
            self.refuse_points(shaped((4, 3), f"'{descr}'", bytes(4 * 3 * 32)), ["element type", descr])
        self.refuse_points(shaped((4, 3), "[('a', '<f8'), ('b', '<f8')]", bytes(192)), ["element type", "'a'"])

    def test_shapes(self):
        for shape, words in [((4, 3, 1), "3-dimensional"), ((12,), "1-dimensional"), ((), "1-dimensional"),
                             ((0, 3), "0 rows"), ((4, 0), "0 columns"), ((0, 0), "0 rows"),
                             ((2**62, 2**62), "shape"), ((2**60, 3), "shape"), ((2**40, 3), "cut short"),
                             ((4, 2**33), "cut short"), ((10**30, 3), "shape"), ((1,) * 9, "8 dimensions")]:
            self.refuse_points(shaped(shape, data=bytes(96)), words)
        self.refuse(["gram", "x.npy", "y.npy", "-o", "OUT.npy"], FAILED, ["x.npy", "y.npy", "3", "2"],
                    {"y.npy": npy_util.dump("<f8", (6, 2), NUMBERS)})

    def test_values_that_are_no_numbers(self):
        for row, column, value, reason in [(2, 1, float("nan"), "not a number"), (0, 0, float("inf"), "infinite"),
                                           (3, 2, float("-inf"), "infinite"), (0, 2, float("nan"), "not a number")]:
            for descr in ("<f2", "<f4", "<f8"):
                self.refuse_points(with_value(value, row, column, descr), [f"row {row}, column {column}", reason])
        self.refuse_points(with_value(1e300, 2, 0), ["row 2, column 0", "too large for float32"],
                           ["--precision", "f32"])
        several = npy_util.dump("<f8", (4, 3), [1.0] * 5 + [float("inf")] + [float("nan")] * 6, fortran=True)
        self.refuse_points(several, ["row 1, column 2", "infinite"])

    def test_labels(self):
        k = ["--order", "labels.npy", "--plot", "OUT.png", "-o", "OUT.npy"]
        for content, words in [(npy_util.dump("<i4", (3,), [1, 2, 3]), "4 rows"),
                               (npy_util.dump("<i4", (4, 1), [1, 2, 3, 4]), "4 rows"),
                               (npy_util.dump("<f8", (4,), [1, 2, 3, 4]), "float64"),
                               (npy_util.dump("<f2", (4,), [1, 2, 3, 4]), "float16"), (b"text", "not a .npy file"),
                               (npy_util.dump("<i8", (4,), [1, 2, 3, 4])[:-1], "cut short")]:
            self.refuse(["gram", "x.npy", *k], FAILED, ["labels.npy", words], {"labels.npy": content})
        self.refuse(["gram", "x.npy", *k], FAILED, ["labels.npy", "No such file"])

    # ---- Output files ----

    def test_outputs_that_cannot_be(self):
        long = "n" * 300
        for verb in (GRID, ["gram", "x.npy"]):
            for option, others in (("-o", ["--plot", "OUT.png"]), ("--plot", ["-o", "OUT.npy"])):
                for target, words in [("missing/k", ["missing/k", "No such file"]),
                                      ("x.npy/k", ["x.npy/k", "Not a directory"]),
                                      (".", "directory"), ("missing/", "missing/"), (long, "too long"),
                                      ("/dev/full", ["/dev/full", "No space"])]:
                    self.refuse(verb + [option, target, *others], FAILED, words)
                self.refuse(verb + [option, "", *others], USAGE, "file name")

    def test_a_failed_output_leaves_the_picture_s_device(self):
        folder = self.fresh_folder()
        folder.joinpath("x.npy").write_bytes(GOOD)
        folder.joinpath("sink.png").symlink_to("/dev/null")
        before = cli.snapshot(folder)
        for verb in (GRID, ["gram", "x.npy"]):
            with self.subTest(verb=verb[0]):
                result = self.run_command(*verb, "-o", "/dev/full", "--plot", "sink.png", cwd=folder)
                self.check_refusal(result, FAILED, "/dev/full")
                self.check_same(before, cli.snapshot(folder))

    def test_input_and_output_are_one_file(self):
        folder = self.folder
        for name in ("x.npy", "y.npy", "labels.npy"):
            folder.joinpath(name).write_bytes(npy_util.dump("|u1", (4,), range(4)) if name == "labels.npy" else GOOD)
        for name in ("x.npy", "y.npy", "labels.npy"):
            folder.joinpath(f"soft-{name}").symlink_to(name)
            os.link(folder / name, folder / f"hard-{name}")
        before = cli.snapshot(folder)
        for name in ("x.npy", "y.npy", "labels.npy"):
            points = ["x.npy", "--order", "labels.npy"] if name == "labels.npy" else ["x.npy", "y.npy"]
            for alias in (name, f"./{name}", str(folder / name), f"soft-{name}", f"hard-{name}"):
                for outputs in (["-o", alias, "--plot", "k.png"], ["-o", "k.npy", "--plot", alias]):
                    with self.subTest(points=points, outputs=outputs):
                        result = self.run_command("gram", *points, *outputs)
                        self.check_refusal(result, USAGE, alias)
                        self.check_same(before, cli.snapshot(folder))

    def test_output_and_picture_are_one_file(self):
        folder = self.folder
        folder.joinpath("x.npy").write_bytes(GOOD)
        folder.joinpath("there").write_bytes(b"precious")
        folder.joinpath("soft").symlink_to("there")
        os.link(folder / "there", folder / "hard")
        before = cli.snapshot(folder)
        for output, plot in [("there", "there"), ("there", "./there"), ("there", folder / "there"), ("soft", "there"),
                             ("there", "hard"), ("both", "both"), ("both", "./both"), ("both", folder / "both")]:
            for verb in (GRID, ["gram", "x.npy"]):
                folder.joinpath("both").unlink(missing_ok=True)
                with self.subTest(verb=verb[0], output=output, plot=plot):
                    self.check_refusal(self.run_command(*verb, "-o", output, "--plot", plot), USAGE, ["output", "plot"])
                    self.check_same(before, cli.snapshot(folder))

    def test_full_disk(self):
        mounted = 'mount -t tmpfs -o size=64k tmpfs "$1" && cd "$1" && echo precious >old.npy || exit 99'
        if not shutil.which("unshare") or subprocess.run(
                ["unshare", "-rm", "sh", "-c", mounted, "sh", self.folder], stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no tmpfs can be mounted here")
        for output in ("new.npy", "old.npy"):
            for options in (["-o", output], ["-o", output, "--plot", "k.png"]):
                with self.subTest(options=options):
                    script = mounted + '; shift; "$@"; code=$?; cat old.npy; ls -A; exit $code'
                    done = subprocess.run(
                        ["unshare", "-rm", "sh", "-c", script, "sh", self.folder, cli.command, "grid", "--size", "200",
                         "--sigma", "9", *options], capture_output=True, env=cli.environment, timeout=cli.TIMEOUT)
                    result = cli.Result(done.returncode, done.stdout, done.stderr)
                    self.assertEqual(result.out, b"precious\nold.npy\n", result)
                    result.out = b""
                    self.check_refusal(result, FAILED, [output, "no space"])

    # ---- Standard output ----

    def check_output_loss(self, stdout, words, table):
        self.path("x.npy").write_bytes(GOOD)
        before = cli.snapshot(self.folder)
        for args in table:
            with self.subTest(args=args):
                result = self.run_command(*args, stdout=stdout)
                self.check_refusal(result, FAILED, words)
                self.check_same(before, cli.snapshot(self.folder))

    TO_STANDARD_OUTPUT = [GRID, GRID + ["--json"], GRID + ["-o", "-"], ["gram", "x.npy", "-o", "-"],
                          ["gram", "x.npy", "--json"], ["devices"], ["devices", "--json"], ["grid", "--help"],
                          ["--help"], ["--version"]]

    def test_closed_pipe(self):
        reader, writer = os.pipe()
        os.close(reader)
        try:
            self.check_output_loss(writer, "standard output", self.TO_STANDARD_OUTPUT)
        finally:
            os.close(writer)

    def test_full_standard_output(self):
        with open("/dev/full", "wb") as full:
            self.check_output_loss(full, "standard output", self.TO_STANDARD_OUTPUT)

    def test_files_are_whole_though_the_report_is_lost(self):
        self.path("x.npy").write_bytes(GOOD)
        for verb in (GRID, ["gram", "x.npy"]):
            for extra in ([], ["--json"]):
                with self.subTest(verb=verb[0], extra=extra):
                    self.assertEqual(self.run_command(*verb, "-o", "k.npy", "--plot", "k.png").code, DONE)
                    wanted = {name: self.path(name).read_bytes() for name in ("k.npy", "k.png")}
                    for name in wanted:
                        self.path(name).unlink()
                    closed = ["sh", "-c", '"$@" >&-', "sh", cli.command]
                    done = subprocess.run(closed + [*verb, "-o", "k.npy", "--plot", "k.png", *extra], cwd=self.folder,
                                          env=cli.environment, stderr=subprocess.PIPE)
                    self.assertIn(done.returncode, (DONE, FAILED))
                    self.assertLessEqual(len(done.stderr.splitlines()), 1)
                    for name in set(os.listdir(self.folder)) - {"x.npy"}:
                        self.assertEqual(self.path(name).read_bytes(), wanted[name], name)


if __name__ == "__main__":
    cli.main("test_cli_errors.py")
