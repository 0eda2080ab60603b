#!/usr/bin/env python3
"""isogram filter on images, driven as a user would: formats on either side, channels, alpha, types, and what it refuses.

test_cli_images.py PATH_TO_ISOGRAM [unittest's arguments]
"""
import struct

import cli
import image_util as images
import npy_util
from cli import FAILED, USAGE
from test_cli_filter import plane

H, W = 7, 9


def samples(channels, most=255, step=37):
    return [(step * i * i + 11 * i) % (most + 1) for i in range(H * W * channels)]


def channel(values, channels, c):
    return [[values[(i * W + j) * channels + c] for j in range(W)] for i in range(H)]


def smoothed(values, channels, sigma, mode="reflect"):
    """Each channel by itself."""
    parts = [plane(channel(values, channels, c), sigma, mode) for c in range(channels)]
    return [parts[c][i][j] for i in range(H) for j in range(W) for c in range(channels)]


class Images(cli.Case):
    def put(self, name, data):
        self.path(name).write_bytes(data)
        return name

    def get(self, name):
        return self.path(name).read_bytes()

    def filter(self, name, out, *options):
        self.succeed("filter", name, "--sigma", 1.5, *options, "-o", out, "--quiet")
        return self.get(out)

    def check_close(self, got, wanted, tolerance):
        self.assertEqual(len(got), len(wanted))
        for at, (g, w) in enumerate(zip(got, wanted)):
            self.assertAlmostEqual(g, w, delta=tolerance, msg=f"sample {at}")

    def test_png(self):
        for channels, depth in [(1, 8), (3, 8), (1, 16), (3, 16)]:
            values = samples(channels, 2**depth - 1, 9973)
            self.put("x.png", images.png(H, W, channels, values, depth))
            image, got_depth = images.read_png(self.filter("x.png", "y.png"))
            self.assertEqual((image[:3], got_depth), ((H, W, channels), depth))
            self.check_close(image[3], smoothed(values, channels, 1.5), 0.501 if depth == 8 else 0.55)

    def test_palettes_become_their_colours(self):
        palette = [(200, 10, 30), (0, 255, 7), (90, 90, 255)]
        indices = [(i * i) % 3 for i in range(H * W)]
        extra = images.chunk(b"PLTE", bytes(v for colour in palette for v in colour))
        self.put("x.png", images.png(H, W, 1, indices, extra=extra, colours=3))
        values = [v for i in indices for v in palette[i]]
        image, _ = images.read_png(self.filter("x.png", "y.png"))
        self.check_close(image[3], smoothed(values, 3, 1.5), 0.501)

    def test_formats_on_either_side(self):
        grey, rgb = samples(1), samples(3)
        want_grey, want_rgb = smoothed(grey, 1, 1.5), smoothed(rgb, 3, 1.5)
        self.put("grey.pgm", images.pnm(H, W, 1, grey))
        self.put("rgb.ppm", images.pnm(H, W, 3, rgb))
        self.put("text.pnm", b"P2 # in text\n%d %d 255 " % (W, H) + " ".join(map(str, grey)).encode())
        first = images.read_pnm(self.filter("grey.pgm", "a.PGM"))
        self.check_close(first[0][3], want_grey, 0.501)
        self.assertEqual(images.read_pnm(self.filter("text.pnm", "b.pnm")), first)
        self.assertEqual(images.read_png(self.filter("text.pnm", "b.png"))[0], first[0])
        colour = images.read_pnm(self.filter("rgb.ppm", "c.pnm"))
        self.check_close(colour[0][3], want_rgb, 0.501)
        self.assertEqual(images.read_png(self.filter("rgb.ppm", "c.png"))[0], colour[0])
        # In a PFM and in a .npy of float32 the numbers are not rounded.
        floats, scale = images.read_pfm(self.filter("rgb.ppm", "d.pfm"))
        self.assertEqual((floats[:3], scale), ((H, W, 3), -1))
        self.check_close(floats[3], want_rgb, 255e-6)
        self.filter("rgb.ppm", "d.npy", "--dtype", "float32")
        array = self.read("d.npy")
        self.assertEqual((array.descr, array.shape, list(array.values)), ("<f4", (H, W, 3), floats[3]))
        self.filter("grey.pgm", "e.npy")
        array = self.read("e.npy")
        self.assertEqual((array.descr, array.shape, list(array.values)), ("|u1", (H, W), first[0][3]))

    def test_pfm_keeps_scale_and_order(self):
        values = [v / 8 for v in samples(3)]
        self.put("x.pfm", images.pfm(H, W, 3, values, 2.5))
        little, scale = images.read_pfm(self.filter("x.pfm", "y.pfm"))
        self.assertEqual(scale, -2.5)
        self.check_close(little[3], smoothed(values, 3, 1.5), 32e-6)

    def test_npy_to_images(self):
        rgb = samples(3)
        self.save("x.npy", "|u1", (H, W, 3), rgb)
        image, _ = images.read_png(self.filter("x.npy", "y.png"))  # the last axis is channels: the output says so
        self.check_close(image[3], smoothed(rgb, 3, 1.5), 0.501)
        self.filter("x.npy", "y.npy", "--channels")
        self.assertEqual(list(self.read("y.npy").values), image[3])
        self.filter("x.npy", "z.npy")
        self.assertNotEqual(list(self.read("z.npy").values), image[3])
        report = self.succeed("filter", "x.npy", "--sigma", 1.5, "-o", "y.ppm", "--json").json
        self.assertEqual((report["channels"], report["format"], [a["axis"] for a in report["axes"]]), (3, "ppm", [0, 1]))
        self.assertNotIn("alpha", report)
        self.save("two.npy", "|u1", (H, W, 2), samples(2))
        self.assertNotIn("alpha", self.succeed("filter", "two.npy", "--sigma", 1.5, "--channels", "-o", "z.npy", "--json").json)

    def test_rounding_and_range(self):
        self.save("x.npy", "<f4", (2, 4), [-3.2, 300, 0.5, 1.5, 2.5, 254.5, float("nan"), 255.4])
        self.succeed("filter", "x.npy", "--sigma", 0, "--dtype", "uint8", "-o", "y.pgm", "--quiet")
        self.assertEqual(images.read_pnm(self.get("y.pgm"))[0][3], [0, 255, 0, 2, 2, 254, 0, 255])

    def test_white_is_kept(self):
        values = samples(1, 1000)
        self.put("x.pgm", images.pnm(H, W, 1, values, 1000))
        image, white = images.read_pnm(self.filter("x.pgm", "y.pgm"))
        self.assertEqual(white, 1000)
        self.check_close(image[3], smoothed(values, 1, 1.5), 0.501)
        image, white = images.read_pnm(self.filter("x.pgm", "y.pgm", "--mode", "constant", "--cval", 60000))
        self.assertEqual((white, max(image[3])), (1000, 1000))
        self.refuse(["x.pgm", "--sigma", 1, "-o", "y.png"], FAILED, ["y.png", "white is 1000", "not rescaled"])

    def test_batches(self):
        rgb = samples(3)
        self.save("one.npy", "|u1", (H, W, 3), rgb)
        self.filter("one.npy", "one-out.npy", "--channels")
        self.save("batch.npy", "|u1", (4, H, W, 3), rgb * 4)
        self.filter("batch.npy", "batch-out.npy", "--axes", "1,2")
        self.assertEqual(list(self.read("batch-out.npy").values), list(self.read("one-out.npy").values) * 4)

    # ---- Alpha ----

    def premultiplied(self, values, channels, sigma, cval=None):
        mode = "reflect" if cval is None else "constant"
        last = channels - 1
        alpha = [values[i * channels + last] for i in range(H * W)]
        parts = [[values[i * channels + c] * alpha[i] for i in range(H * W)] for c in range(last)] + [alpha]
        whole = [smoothed_plane(p, sigma, mode, (cval or 0) ** (2 if n < last else 1)) for n, p in enumerate(parts)]
        return [whole[c][i] / whole[last][i] if c < last else whole[last][i] for i in range(H * W) for c in range(channels)]

    def test_colours_count_by_their_alpha(self):
        for channels, depth in [(2, 8), (4, 8), (4, 16)]:
            values = samples(channels, 2**depth - 1, 9973)
            for i in range(H * W):
                values[i * channels + channels - 1] //= 1 + i % 4
            self.put("x.png", images.png(H, W, channels, values, depth))
            report = self.succeed("filter", "x.png", "--sigma", 1.5, "-o", "y.png", "--json").json
            self.assertEqual((report["channels"], report["alpha"]), (channels, "premultiplied"))
            image, _ = images.read_png(self.get("y.png"))
            self.check_close(image[3], self.premultiplied(values, channels, 1.5), 0.501 if depth == 8 else 0.55)
            image, _ = images.read_png(self.filter("x.png", "z.png", "--alpha", "plain"))
            self.check_close(image[3], smoothed(values, channels, 1.5), 0.501 if depth == 8 else 0.55)

    @cli.needs_f64
    def test_alpha_in_double_precision(self):
        values = samples(4, 65535, 9973)
        self.put("x.png", images.png(H, W, 4, values, 16))
        image, _ = images.read_png(self.filter("x.png", "y.png", "--precision", "f64"))
        self.check_close(image[3], self.premultiplied(values, 4, 1.5), 0.5 + 1e-6)

    def test_nothing_shows_through(self):
        """Beside nothing that is red, blue stays blue; where there is nothing at all, there is no colour either."""
        values = [v for i in range(H * W) for v in ((255, 0, 0, 0) if i % W < 5 else (0, 0, 255, 255))]
        self.put("x.png", images.png(H, W, 4, values))
        image, _ = images.read_png(self.filter("x.png", "y.png", "--radius", 2))
        pixels = [tuple(image[3][at : at + 4]) for at in range(0, len(values), 4)]
        self.assertEqual(pixels[0], (0, 0, 0, 0))
        self.assertEqual({p[:3] for p in pixels if p[3] > 0}, {(0, 0, 255)})
        self.assertEqual(len({p[3] for p in pixels}), 6)

    def test_opaque_images_are_as_without_alpha(self):
        rgb = samples(3)
        rgba = [v for i in range(H * W) for v in (*rgb[3 * i : 3 * i + 3], 255)]
        self.put("rgb.png", images.png(H, W, 3, rgb))
        self.put("rgba.png", images.png(H, W, 4, rgba))
        without, _ = images.read_png(self.filter("rgb.png", "a.png"))
        image, _ = images.read_png(self.filter("rgba.png", "b.png"))
        self.assertEqual([v for at, v in enumerate(image[3]) if at % 4 < 3], without[3])
        self.assertEqual({v for at, v in enumerate(image[3]) if at % 4 == 3}, {255})

    def test_a_constant_around(self):
        values = samples(4)
        self.put("x.png", images.png(H, W, 4, values))
        image, _ = images.read_png(self.filter("x.png", "y.png", "--mode", "constant", "--cval", 40))
        self.check_close(image[3], self.premultiplied(values, 4, 1.5, 40), 0.501)

    def test_alpha_in_npy(self):
        values = [v / 256 for v in samples(4)]
        self.save("x.npy", "<f4", (H, W, 4), values)
        self.filter("x.npy", "y.npy", "--channels", "--alpha", "premultiplied")
        self.check_close(self.read("y.npy").values, self.premultiplied(values, 4, 1.5), 1e-6)
        self.filter("x.npy", "z.npy", "--channels")
        self.check_close(self.read("z.npy").values, smoothed(values, 4, 1.5), 1e-6)

    # ---- Streams, notes, pictures ----

    def test_standard_input_and_output(self):
        self.put("x.png", images.png(H, W, 3, samples(3)))
        wanted, data = self.filter("x.png", "y.png"), self.get("x.png")
        args = ["filter", "-", "--sigma", 1.5, "-o", "-", "--quiet"]
        self.assertEqual(self.succeed(*args, stdin=data).out, wanted)  # a pipe
        with open(self.path("x.png"), "rb") as file:
            self.assertEqual(self.succeed(*args, stdin=file).out, wanted)
        ppm = self.succeed(*args, "--format", "ppm", stdin=data).out
        self.assertEqual(images.read_pnm(ppm)[0], images.read_png(wanted)[0])
        array = npy_util.dump("|u1", (H, W), samples(1))
        self.assertEqual(npy_util.load(self.succeed(*args, stdin=array).out).shape, (H, W))
        self.succeed("filter", "x.png", "--sigma", 1.5, "--format", "png", "-o", "picture.dat", "--quiet")
        self.assertEqual(self.get("picture.dat"), wanted)
        self.succeed("filter", "x.png", "--sigma", 1.5, "-o", "picture", "--quiet")
        self.assertEqual(self.get("picture"), wanted)

    def test_notes_are_kept(self):
        kept = {b"gAMA": struct.pack(">I", 45455), b"pHYs": struct.pack(">IIB", 2835, 2835, 1), b"sRGB": b"\0"}
        extra = b"".join(images.chunk(*note) for note in kept.items()) + images.chunk(b"tEXt", b"Comment\0gone")
        self.put("x.png", images.png(H, W, 3, samples(3), extra=extra))
        found = dict(images.chunks(self.filter("x.png", "y.png")))
        self.assertEqual({kind: found.get(kind) for kind in kept}, kept)
        self.assertNotIn(b"tEXt", found)

    def test_pictures(self):
        for channels in (1, 2, 3, 4):
            self.put("x.png", images.png(H, W, channels, samples(channels)))
            self.succeed("filter", "x.png", "--sigma", 1, "--plot", "p.png", "-o", "y.png", "--quiet")
            width, height = cli.png_size(self.get("p.png"))
            self.assertTrue(width > 2 * 240 and height > 180)
        self.save("x.npy", "|u1", (H, W, 3), samples(3))
        self.succeed("filter", "x.npy", "--sigma", 1, "--channels", "--plot", "q.png", "--quiet")
        self.put("x.png", images.png(H, W, 3, samples(3)))
        self.succeed("filter", "x.png", "--sigma", 1, "--plot", "p.png", "--quiet")
        self.assertEqual(self.get("q.png"), self.get("p.png"))
        # What is drawn is what was there: an even image of one colour shows that colour on both sides.
        self.put("x.png", images.png(H, W, 3, [10, 200, 90] * (H * W)))
        self.succeed("filter", "x.png", "--sigma", 1, "--plot", "p.png", "--quiet")
        (_, width, _, drawn), _ = images.read_png(self.get("p.png"))
        row = drawn[3 * width * 100 :][: 3 * width]
        same = [j for j in range(width) if row[3 * j : 3 * j + 3] == [10, 200, 90]]
        self.assertEqual(len(same), 2 * W * (-(-240 // W)))

    # ---- Refusals ----

    def refuse(self, args, code, words):
        with self.subTest(args=args):
            before = cli.snapshot(self.folder)
            self.check_refusal(self.run_command("filter", *args), code, words)
            self.check_same(before, cli.snapshot(self.folder))

    def test_refusals(self):
        good = images.png(H, W, 3, samples(3))
        self.put("x.png", good)
        self.put("rgba.png", images.png(H, W, 4, samples(4)))
        self.put("cut.png", good[:-30])
        self.put("huge.pgm", b"P5 2000000000 2000000000 255 ")
        self.put("zero.ppm", b"P6 1 1 0 abc")
        self.put("bits.pbm", b"P4 8 1 a")
        self.put("some.txt", b"some text that is longer than a magic")
        self.put("old.png", b"precious")
        self.save("x.npy", "<f4", (H, W, 3), samples(3))
        self.save("five.npy", "|u1", (H, W, 5), samples(5))
        self.save("line.npy", "<f4", (W,), range(W))
        x, s, k = ["x.png"], ["--sigma", 1], ["-o", "old.png"]
        for args, code, words in [
            (["cut.png", *s, *k], FAILED, ["cut.png", "cut short"]),
            (["huge.pgm", *s, *k], FAILED, ["huge.pgm", "64 bits"]),
            (["zero.ppm", *s, *k], FAILED, ["zero.ppm", "maxval"]),
            (["bits.pbm", *s, *k], FAILED, ["bits.pbm", "bitmap"]),
            (["some.txt", *s, *k], FAILED, ["some.txt", "neither a .npy file nor an image"]),
            (x + [*s, "-o", "y.jpg"], FAILED, ["y.jpg", "--format"]),
            (x + [*s, "-o", "y.pgm"], FAILED, ["y.pgm", "1 channels, not 3"]),
            (["rgba.png", *s, "-o", "y.ppm"], FAILED, ["y.ppm", "3 channels, not 4"]),
            (["rgba.png", *s, "-o", "y.pfm"], FAILED, ["y.pfm", "channels, not 4"]),
            (["five.npy", *s, *k], FAILED, ["old.png", "not 5"]),
            (["line.npy", *s, *k], FAILED, ["old.png", "dimensions"]),
            (["x.npy", *s, *k], FAILED, ["old.png", "not float32", "--dtype"]),
            (x + [*s, *k, "--dtype", "int16"], FAILED, ["not int16", "--dtype uint8 or uint16"]),
            (x + [*s, "-o", "y.pfm", "--dtype", "float64"], FAILED, ["y.pfm", "--dtype float32"]),
            (x + [*s, *k, "--format", "jpg"], USAGE, ["--format", "'jpg'"]),
            (x + [*s, *k, "--alpha", "none"], USAGE, ["--alpha", "'none'"]),
            (x + [*s, *k, "--channels", "--axes", "0"], USAGE, ["--channels", "--axes"]),
            (x + [*s, *k, "--alpha", "premultiplied"], FAILED, ["--alpha", "2 or 4 channels"]),
            (["line.npy", *s, "-o", "y.npy", "--channels"], FAILED, "--channels"),
            (["rgba.png", *s, "--order", 1, *k], FAILED, ["derivative", "--alpha plain"]),
            (x + ["--sigma", "1,2,3", *k], FAILED, ["--sigma has 3 values for 2 axes"]),
            (x + [*s, "-o", "no/such/y.png"], FAILED, ["no/such/y.png", "cannot be created"]),
        ]:
            self.refuse(args, code, words)


def smoothed_plane(values, sigma, mode, cval):
    """As plane(), with a constant around that may differ from 0: a constant c is what x - c has 0 for."""
    moved = plane([[v - cval for v in values[i * W : (i + 1) * W]] for i in range(H)], sigma, mode)
    return [v + cval for row in moved for v in row]


if __name__ == "__main__":
    cli.main("test_cli_images.py")
