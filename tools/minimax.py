#!/usr/bin/env python3
"""Prints the polynomials of cl/*.h as they stand there: minimax.py [NAME…]. Needs python3-mpmath.

Each polynomial is found by the Remez exchange for the least relative error of its function, then its coefficients are rounded to
the precision they are used in; the error printed is that of the rounded ones. The first coefficients of some are kept as the
sum of two numbers. The coefficients of float in exp.h lie a few units in the last place beside these, where the rounding
errors of the whole function are least.
"""
import sys

import mpmath as mp
from mpmath import mpf

mp.mp.prec = 240
SQRT_HALF = mp.sqrt(mpf(1) / 2)
ERFC_CENTRE = 2


def rounded(value, bits):
    if value == 0:
        return mpf(0)
    mantissa, exponent = mp.frexp(value)
    return mp.ldexp(mp.nint(mp.ldexp(mantissa, bits)), exponent - bits)


def series(function, at_zero, radius):
    """The function by its Taylor series close to zero, where the formula itself would cancel."""
    coefficients = at_zero
    return lambda x: mp.polyval(coefficients[::-1], x) if abs(x) < radius else function(x)


def remez(target, weight, low, high, degree, rounds=7):
    """The coefficients of the polynomial p for which the largest |weight (p - target)| in [low, high] is least."""
    count = degree + 2
    middle, half = (low + high) / 2, (high - low) / 2
    points = [middle + half * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
    grid = [middle + half * mp.cos(mp.pi * i / (40 * count)) for i in range(40 * count + 1)]
    table = [(weight(x), target(x)) for x in grid]
    for _ in range(rounds):
        rows = [[x**k for k in range(degree + 1)] + [(-1) ** i / weight(x)] for i, x in enumerate(points)]
        solution = mp.lu_solve(mp.matrix(rows), mp.matrix([target(x) for x in points]))
        p = list(solution[: degree + 1])
        error = [w * (mp.polyval(p[::-1], x) - t) for x, (w, t) in zip(grid, table)]
        runs, start = [], 0
        for i in range(1, len(grid) + 1):
            if i == len(grid) or (error[i] > 0) != (error[start] > 0):
                runs.append(max(range(start, i), key=lambda t: abs(error[t])))
                start = i
        while len(runs) > count:
            runs.pop(0 if abs(error[runs[0]]) < abs(error[runs[-1]]) else -1)
        if len(runs) < count:
            break
        points = [grid[i] for i in runs]
    return p, grid, table


def exp_job():
    half = mp.log(2) / 2 * (1 + mpf(2) ** -13)  # the reduced argument may leave ln(2)/2 by its own rounding
    target = series(lambda r: (mp.exp(r) - 1 - r) / (r * r), [1 / mp.factorial(k + 2) for k in range(9)], mpf(2) ** -20)
    return target, lambda r: (r * r + mpf(2) ** -60) / mp.exp(r), -half, half


def tail_job():
    target, weight, low, high = exp_job()
    third = series(lambda r: (target(r) - mpf(1) / 2) / r, [1 / mp.factorial(k + 3) for k in range(9)], mpf(2) ** -20)
    return third, lambda r: r * r + mpf(2) ** -60, low, high  # relative to exp(r) - 1


def log_job():
    target = series(lambda f: (mp.log(1 + f) - f + f * f / 2) / f**3, [mpf((-1) ** k) / (k + 3) for k in range(9)],
                    mpf(2) ** -20)
    slope = series(lambda f: f / mp.log(1 + f), [1, mpf(1) / 2], mpf(2) ** -60)
    return target, lambda f: (f * f + mpf(2) ** -60) * slope(f), SQRT_HALF - 1, mp.sqrt(2) - 1


def erf_job():
    c = 2 / mp.sqrt(mp.pi)
    target = series(lambda z: (mp.erf(mp.sqrt(z)) / mp.sqrt(z) - c) / z,
                    [c * mpf((-1) ** (k + 1)) / (mp.factorial(k + 1) * (2 * k + 3)) for k in range(9)], mpf(2) ** -20)
    return target, lambda z: (z + mpf(2) ** -60) / (1 if z == 0 else mp.erf(mp.sqrt(z)) / mp.sqrt(z)), mpf(0), mpf(1) / 4


def erfc_job(largest):
    a = ERFC_CENTRE

    def target(t):
        x = a * (1 + t) / (1 - t)
        return mp.exp(x * x) * mp.erfc(x) * (x + a)

    return target, lambda t: 1 / target(t), mpf(-1), mpf(largest - a) / (largest + a)


def sin_job():
    target = series(lambda z: (mp.sin(mp.pi * mp.sqrt(z)) / mp.sqrt(z) - mp.pi) / z,
                    [mp.pi ** (2 * k + 3) * mpf((-1) ** (k + 1)) / mp.factorial(2 * k + 3) for k in range(9)], mpf(2) ** -20)
    return target, lambda z: z + mpf(2) ** -60, mpf(0), mpf(1) / 16


def cos_job():
    target = series(lambda z: (mp.cos(mp.pi * mp.sqrt(z)) - 1 + mp.pi**2 / 2 * z) / z**2,
                    [mp.pi ** (2 * k + 4) * mpf((-1) ** k) / mp.factorial(2 * k + 4) for k in range(9)], mpf(2) ** -16)
    return target, lambda z: z * z + mpf(2) ** -60, mpf(0), mpf(1) / 16


# name: (what the polynomial is), then for float and double: (job, degree, coefficients kept in two numbers)
JOBS = {
    "exp": ("exp(r) = 1 + r + r^2 q(r)", (exp_job(), 4, 0), (exp_job(), 10, 0)),
    "tail": ("exp(r) = 1 + r + r^2/2 + r^3 p(r)", (tail_job(), 4, 0), (tail_job(), 9, 0)),
    "log": ("log(1 + f) = f - f^2/2 + f^3 p(f)", (log_job(), 7, 0), (log_job(), 19, 0)),
    "pow": ("the same for pow", (log_job(), 11, 5), (log_job(), 23, 6)),
    "erf": ("erf(x) = x (2/sqrt(pi) + z p(z)), z = x^2", (erf_job(), 3, 0), (erf_job(), 7, 0)),
    "erfc": (f"exp(x^2) erfc(x) (x + {ERFC_CENTRE}) = p(t), t = (x - {ERFC_CENTRE})/(x + {ERFC_CENTRE})",
             (erfc_job(mpf("10.06")), 11, 3), (erfc_job(mpf("26.6")), 26, 3)),
    "sin": ("sin(pi r) = r (pi + z p(z)), z = r^2", (sin_job(), 3, 0), (sin_job(), 6, 0)),
    "cos": ("cos(pi r) = 1 - pi^2/2 z + z^2 p(z), z = r^2", (cos_job(), 2, 0), (cos_job(), 5, 0)),
}


def literal(value, bits):
    return float(value).hex() + ("f" if bits == 24 else "")


def show(name, what, job, degree, pairs, bits):
    target, weight, low, high = job
    p, grid, table = remez(target, weight, low, high, degree)
    parts = []
    for k, c in enumerate(p):
        first = rounded(c, bits)
        parts.append([first, rounded(c - first, bits)] if k < pairs else [first])
    final = [sum(part) for part in parts]
    error = max(abs(w * (mp.polyval(final[::-1], x) - t)) for x, (w, t) in zip(grid, table))
    exact = max(abs(w * (mp.polyval(p[::-1], x) - t)) for x, (w, t) in zip(grid, table))
    print(f"{name}, {'float' if bits == 24 else 'double'}, degree {degree}: {what}")
    print(f"relative error 2^{mp.nstr(mp.log(exact, 2), 5)}, with rounded coefficients 2^{mp.nstr(mp.log(error, 2), 5)}")
    for k, part in reversed(list(enumerate(parts))):
        print(f"  {k:2}: " + ", ".join(literal(c, bits) for c in part))


def show_constants():
    values = {"2/sqrt(pi)": 2 / mp.sqrt(mp.pi), "pi": mp.pi, "pi^2/2": mp.pi**2 / 2, "log2(e)": 1 / mp.log(2), "ln(2)": mp.log(2)}
    for bits in (24, 53):
        for name, value in values.items():
            high = rounded(value, {24: 15, 53: 42}[bits] if name == "ln(2)" else bits)
            print(f"{name} = " + " + ".join(literal(rounded(part, bits), bits) for part in (high, value - high)))


def main(names):
    for name, (what, single, double) in JOBS.items():
        if not names or name in names:
            show(name, what, *single, 24)
            show(name, what, *double, 53)
    show_constants()


if __name__ == "__main__":
    main(sys.argv[1:])
