"""Reads and writes .npy files with nothing but the standard library, independently of the code under test."""
import ast
import math
import struct

MAGIC = b"\x93NUMPY"
CODES = {"f2": "e", "f4": "f", "f8": "d", "i1": "b", "u1": "B", "b1": "?", "i2": "h", "u2": "H",
         "i4": "i", "u4": "I", "i8": "q", "u8": "Q"}


class Array:
    """Values in row-major order, whatever their order in the file."""

    def __init__(self, descr, shape, values, fortran=False):
        self.descr, self.shape, self.values, self.fortran = descr, tuple(shape), list(values), fortran

    def __getitem__(self, index):
        at = 0
        for i, extent in zip(index, self.shape):
            at = at * extent + i
        return self.values[at]

    def rows(self):
        columns = self.shape[-1]
        return [self.values[at : at + columns] for at in range(0, len(self.values), columns)]


def column_major(shape):
    """For each place in column-major order, its place in row-major order."""
    for at in range(math.prod(shape)):
        place, index = 0, []
        for extent in shape:
            at, i = divmod(at, extent)
            index.append(i)
        for i, extent in zip(index, shape):
            place = place * extent + i
        yield place


def header(text, version=1):
    """Everything before the data. text: the dictionary, as it is to stand in the file."""
    length, lead = ("<H", 10) if version == 1 else ("<I", 12)
    raw = text.encode("latin-1")
    raw += b" " * (-(lead + len(raw) + 1) % 64) + b"\n"
    return MAGIC + bytes([version, 0]) + struct.pack(length, len(raw)) + raw


def dump(descr, shape, values, fortran=False, version=1):
    """The bytes of a file. values: row-major."""
    values = list(values)
    if fortran:
        values = [values[at] for at in column_major(shape)]
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}"
    data = struct.pack(f"<{len(values)}{CODES[descr[1:]]}", *values)
    return header(text, version) + data


def load(data):
    """An Array from the bytes of a whole file; ValueError for anything that is not exactly one."""
    if data[:6] != MAGIC or len(data) < 10:
        raise ValueError(f"not a .npy file: {data[:10]!r}")
    start, (length,) = (10, struct.unpack("<H", data[8:10])) if data[6] == 1 else (12, struct.unpack("<I", data[8:12]))
    fields = ast.literal_eval(data[start : start + length].decode("latin-1"))
    descr, shape, fortran = fields["descr"], fields["shape"], fields["fortran_order"]
    values = list(struct.unpack(f"<{math.prod(shape)}{CODES[descr[1:]]}", data[start + length :]))
    if fortran:
        row_major = [0] * len(values)
        for value, at in zip(values, column_major(shape)):
            row_major[at] = value
        values = row_major
    return Array(descr, shape, values, fortran)
