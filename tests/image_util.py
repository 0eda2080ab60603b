"""Images for tests of the command, written and read by hand: PNG of 8 and 16 bits without interlacing, PGM, PPM and PFM.

An image is (height, width, channels, samples): samples row by row, those of a pixel together.
"""
import struct
import zlib

COLOURS = {1: 0, 2: 4, 3: 2, 4: 6}


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(height, width, channels, samples, depth=8, extra=b"", colours=None):
    """extra: further chunks. colours: 3 makes an indexed image, whose palette is in extra."""
    code, count = ("B" if depth == 8 else "H"), width * channels
    rows = [b"\0" + struct.pack(f">{count}{code}", *samples[i * count : (i + 1) * count]) for i in range(height)]
    head = struct.pack(">IIBBBBB", width, height, depth, COLOURS[channels] if colours is None else colours, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")


def chunks(data):
    """The kinds and bodies of a PNG whose checksums are right."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG")
    at, found = 8, []
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body, (crc,) = data[at + 8 : at + 8 + length], struct.unpack(">I", data[at + 8 + length : at + 12 + length])
        if crc != zlib.crc32(kind + body):
            raise ValueError(f"the checksum of {kind} is wrong")
        found.append((kind, body))
        at += 12 + length
    return found


def unfiltered(kind, row, above, step):
    for i in range(len(row)):
        left, up, corner = (row[i - step] if i >= step else 0), above[i], (above[i - step] if i >= step else 0)
        guess = left + up - corner
        paeth = min((abs(guess - v), n, v) for n, v in enumerate((left, up, corner)))[2]
        row[i] = (row[i] + (0, left, up, (left + up) // 2, paeth)[kind]) % 256
    return row


def read_png(data):
    """(height, width, channels, samples), depth."""
    found = chunks(data)
    width, height, depth, colours, _, _, interlace = struct.unpack(">IIBBBBB", found[0][1])
    channels = {code: count for count, code in COLOURS.items()}[colours]
    step, raw = channels * depth // 8, zlib.decompress(b"".join(body for kind, body in found if kind == b"IDAT"))
    length = width * step
    if interlace or len(raw) != height * (length + 1):
        raise ValueError("the pixels are not those of an image of its size")
    samples, above = [], bytearray(length)
    for i in range(height):
        at = i * (length + 1)
        above = unfiltered(raw[at], bytearray(raw[at + 1 : at + 1 + length]), above, step)
        samples += struct.unpack(f">{width * channels}{'B' if depth == 8 else 'H'}", bytes(above))
    return (height, width, channels, samples), depth


def pnm(height, width, channels, samples, white=255):
    code = "B" if white < 256 else "H"
    return b"P%d\n%d %d\n%d\n" % (6 if channels == 3 else 5, width, height, white) + struct.pack(f">{len(samples)}{code}", *samples)


def read_pnm(data):
    """(height, width, channels, samples), white. As the command writes them: a line each, no comments."""
    magic, size, white, raster = data.split(b"\n", 3)
    width, height = map(int, size.split())
    channels, white = {b"P5": 1, b"P6": 3}[magic], int(white)
    samples = struct.unpack(f">{width * height * channels}{'B' if white < 256 else 'H'}", raster)
    return (height, width, channels, list(samples)), white


def pfm(height, width, channels, samples, scale=-1.0):
    count, order = width * channels, "<" if scale < 0 else ">"
    rows = [struct.pack(f"{order}{count}f", *samples[i * count : (i + 1) * count]) for i in reversed(range(height))]
    return b"P%s\n%d %d\n%g\n" % (b"F" if channels == 3 else b"f", width, height, scale) + b"".join(rows)


def read_pfm(data):
    """(height, width, channels, samples), scale."""
    magic, size, scale, raster = data.split(b"\n", 3)
    width, height = map(int, size.split())
    channels = {b"Pf": 1, b"PF": 3}[magic]
    values = struct.unpack(f"{'<' if float(scale) < 0 else '>'}{width * height * channels}f", raster)
    count = width * channels
    return (height, width, channels, [v for i in reversed(range(height)) for v in values[i * count : (i + 1) * count]]), float(scale)
