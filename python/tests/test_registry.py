"""The registry is what the command lists, and every row has the bits that the command gives."""
import json
import math
import subprocess

import numpy as np
import pytest

import isogram


def run(command, *words, cwd=None):
    return subprocess.run([command, *map(str, words)], check=True, capture_output=True, text=True, cwd=cwd).stdout


def test_the_registry_is_the_commands(command):
    rows = json.loads(run(command, "kernels", "--json"))
    rows = rows["kernels"] if isinstance(rows, dict) else rows
    assert [row["name"] for row in rows] == [row.name for row in isogram.kernels()]
    for told, row in zip(rows, isogram.kernels()):
        assert tuple(told["aliases"]) == row.aliases
        assert [p["name"] for p in told["params"]] == [p.name for p in row.parameters]
        for alias in row.aliases:
            assert isogram.kernel(alias) is row
    assert isogram.kernel("no such kernel") is None


def own(row):
    """Values for a row's parameters that are not its defaults."""
    values = {}
    for p in row.parameters:
        value = p.default + 1 if p.whole else p.default * 1.5 if p.default else 0.5
        values[p.name] = value if p.least <= value <= p.most else p.default
    return values


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("row", isogram.kernels(), ids=lambda row: row.name)
def test_bits_are_the_commands(command, tmp_path, random, row, dtype):
    X, Y = (np.abs(random.standard_normal((n, 5))).astype(dtype) for n in (37, 21))  # chi2 takes none below 0
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "Y.npy", Y)
    scale = {} if row.scale == "none" else {"gamma": 0.375}
    words = [f"--param={name}={value!r}" for name, value in own(row).items()] + [f"--{name}={value!r}" for name, value in scale.items()]
    run(command, "gram", "X.npy", "Y.npy", "--kernel", row.name, *words, "-o", "K.npy", "--quiet", cwd=tmp_path)
    K = isogram.Gram(X, Y, row, **scale, **own(row))
    expected = np.load(tmp_path / "K.npy")
    assert K.dtype == expected.dtype == dtype
    assert np.asarray(K).tobytes() == expected.tobytes()
    assert math.isnan(row.on_diagonal) or np.all(isogram.Gram(X, kernel=row, **scale, **own(row)).diagonal() == row.on_diagonal)


def test_what_is_put_together(command, tmp_path, random):
    X = random.standard_normal((33, 3))
    np.save(tmp_path / "X.npy", X)
    formula = "2*rbf(sigma=0.5) + linear*periodic(period=3)"
    run(command, "gram", "X.npy", "--kernel", formula, "-o", "K.npy", "--quiet", cwd=tmp_path)
    K = isogram.Gram(X, kernel=formula)
    assert np.asarray(K).tobytes() == np.load(tmp_path / "K.npy").tobytes()
    assert np.asarray(isogram.Gram(X, kernel=K.kernel)).tobytes() == np.asarray(K).tobytes()


def test_lengthscales_factors_and_rows_left_out(command, tmp_path, random):
    X, factors, include = random.standard_normal((40, 3)), random.standard_normal(40), random.integers(0, 2, 40).astype(bool)
    for name, array in {"X": X, "factors": factors, "include": include}.items():
        np.save(tmp_path / f"{name}.npy", array)
    run(command, "gram", "X.npy", "--kernel", "matern52", "--lengthscale", "3,1,0.5", "--factors", "factors.npy", "--include",
        "include.npy", "-o", "K.npy", "--quiet", cwd=tmp_path)
    K = isogram.Gram(X, kernel="matern52", lengthscale=[3, 1, 0.5], factors=factors, include=include)
    assert np.asarray(K).tobytes() == np.load(tmp_path / "K.npy").tobytes()
    assert K.shape == (include.sum(), include.sum())


def test_sums_and_derivatives(command, tmp_path, random):
    X, V = random.standard_normal((60, 3)), random.standard_normal((60, 2))
    np.save(tmp_path / "X.npy", X)
    np.save(tmp_path / "V.npy", V)
    K = isogram.Gram(X, sigma=1.5)
    run(command, "apply", "X.npy", "--weights", "V.npy", "--sigma", "1.5", "-o", "KV.npy", "--quiet", cwd=tmp_path)
    assert (K @ V).tobytes() == np.load(tmp_path / "KV.npy").tobytes()
    told = json.loads(run(command, "gradient", "X.npy", "--v", "V.npy", "--sigma", "1.5", "--x", "GX.npy", "--json", cwd=tmp_path))
    gradient = K.gradient(V, V)
    assert gradient.x.tobytes() == np.load(tmp_path / "GX.npy").tobytes()
    # The report has 15 digits.
    assert [p.derivative for p in gradient.parameters] == pytest.approx([p["derivative"] for p in told["parameters"]], rel=1e-14)


def test_stores_are_the_commands(command, tmp_path, random):
    X = random.standard_normal((150, 3)).astype("f4")
    np.save(tmp_path / "X.npy", X)
    run(command, "gram", "X.npy", "--sigma", "2", "--store", "--tile", "64", "-o", "K.npy", "--quiet", cwd=tmp_path)
    isogram.Gram(X, sigma=2).save(tmp_path / "mine.npy", side=64)
    assert (tmp_path / "mine.npy").read_bytes() == (tmp_path / "K.npy").read_bytes()
    run(command, "store", "check", "mine.npy", cwd=tmp_path)
