#!/usr/bin/env python3
"""Prints the polynomial of exp in cl/numerics.h. Needs python3-mpmath.

exp(r) = 1 + r + r^2 q(r) on |r| <= ln(2)/2, q found by the Remez exchange for the least relative error of exp(r).
The coefficients are then rounded to the precision they are used in; the error printed is that of the rounded ones. Those of
float in cl/numerics.h lie a few units in the last place beside these, where the rounding errors of the whole function are least.
"""
import mpmath as mp
from mpmath import mpf

mp.mp.prec = 200
HALF = mp.log(2) / 2 * (1 + mpf(2) ** -13)  # the reduced argument may leave ln(2)/2 by its own rounding


def target(r):
    if abs(r) < mpf(2) ** -30:
        return mpf(1) / 2 + r / 6 + r * r / 24
    return (mp.exp(r) - 1 - r) / (r * r)


def rounded(value, bits):
    mantissa, exponent = mp.frexp(value)
    return mp.ldexp(mp.nint(mp.ldexp(mantissa, bits)), exponent - bits)


def remez(degree):
    """The coefficients of q."""
    powers = range(degree + 1)
    weight = lambda r: r * r / mp.exp(r)
    count = len(powers) + 1
    points = [HALF * mp.cos(mp.pi * (2 * i + mpf("0.8")) / (2 * count)) for i in range(count)]  # off zero, where the weight is 0
    grid = [HALF * mp.cos(mp.pi * i / 1500) for i in range(1501)]
    for _ in range(6):
        rows = [[r**k for k in powers] + [(-1) ** i / weight(r)] for i, r in enumerate(points)]
        solution = mp.lu_solve(mp.matrix(rows), mp.matrix([target(r) for r in points]))
        q = list(solution[: len(powers)])
        error = [weight(r) * (sum(c * r**k for k, c in zip(powers, q)) - target(r)) for r in grid]
        runs, start = [], 0
        for i in range(1, len(grid) + 1):
            if i == len(grid) or (error[i] > 0) != (error[start] > 0):
                runs.append(max(range(start, i), key=lambda t: abs(error[t])))
                start = i
        while len(runs) > count:
            runs.pop(0 if abs(error[runs[0]]) < abs(error[runs[-1]]) else -1)
        points = [grid[i] for i in runs]
    return q


def main():
    for name, bits, degree in (("float", 24, 4), ("double", 53, 10)):
        q = [rounded(c, bits) for c in remez(degree)]
        error = max(
            abs(1 + r + r * r * sum(c * r**k for k, c in enumerate(q)) - mp.exp(r)) / mp.exp(r)
            for r in [HALF * mp.cos(mp.pi * i / 1500) for i in range(1501)]
        )
        print(f"{name}, q of degree {degree}: relative error 2^{mp.nstr(mp.log(error, 2), 5)}")
        for k, c in enumerate(q):
            print(f"  r^{k + 2}: {float(c).hex()}  {mp.nstr(c, 17)}")
    for name, bits, high_bits in (("float", 24, 15), ("double", 53, 42)):
        high = rounded(mp.log(2), high_bits)
        low = rounded(mp.log(2) - high, bits)
        print(f"{name}: log2(e) = {float(rounded(1 / mp.log(2), bits)).hex()}, ln(2) = {float(high).hex()} + {float(low).hex()}")


if __name__ == "__main__":
    main()
