"""What isogram grid is held to: one-dimensional Gaussian weights from their definitions, and recipes people paste."""
import itertools
import math


def linspace(first, last, count):
    return [first + (last - first) * i / (count - 1) for i in range(count)] if count > 1 else [first]


def gaussian(x, sigma):
    return math.exp(-0.5 * (x / sigma) ** 2)


def point(count, sigma, first=None, last=None):
    first = -(count - 1) / 2 if first is None else first
    last = (count - 1) / 2 if last is None else last
    return [gaussian(x, sigma) for x in linspace(first, last, count)]


def interval(low, high, sigma):
    """The probability between low and high, without cancellation in the tails."""
    if low + high < 0:
        low, high = -high, -low
    a, b = low / (sigma * math.sqrt(2)), high / (sigma * math.sqrt(2))
    return (math.erfc(a) - math.erfc(b)) / 2 if a > 0 else (math.erf(b) - math.erf(a)) / 2


def integrated(count, sigma, first=None, last=None):
    first = -count / 2 if first is None else first
    last = count / 2 if last is None else last
    edges = linspace(first, last, count + 1)
    return [interval(a, b, sigma) for a, b in zip(edges, edges[1:])]


def bessel(count, sigma):
    def weight(n, t):
        terms = ((t / 2) ** (2 * k + abs(n)) / (math.factorial(k) * math.factorial(k + abs(n))) for k in range(60))
        return math.exp(-t) * math.fsum(terms)

    return [weight(n - (count - 1) // 2, sigma * sigma) for n in range(count)]


def delta(count, sigma):
    """An impulse at count // 2 through a filter cut at 4 sigma, reflected at the borders."""
    radius = int(4 * sigma + 0.5)
    taps = normalized([gaussian(x, sigma) for x in range(-radius, radius + 1)])
    weights = [0.0] * count
    for i in range(count):
        for k, tap in enumerate(taps):
            at = (i + k - radius) % (2 * count)
            weights[i] += tap if min(at, 2 * count - 1 - at) == count // 2 else 0
    return weights


def normalized(weights):
    total = math.fsum(weights)
    return [w / total for w in weights]


def old_gkern(count, sigma, nsig):
    step = (2 * nsig + 1) / count
    return normalized([math.sqrt(w) for w in integrated(count, sigma, -nsig - step / 2, nsig + step / 2)])


def outer(*profiles):
    return [math.prod(weights) for weights in itertools.product(*profiles)]


RECIPES = {
    "gkern": normalized(integrated(21, 1, -3, 3)),
    "gkern-sqrt": old_gkern(21, 1, 3),
    "gkern-delta": delta(21, 3),
    "gkern-point": normalized(point(5, 1)),
    "window": point(21, 3),
    "linspace": normalized(point(50, 3, -10, 10)),
    "mask": point(8, 2, -4, 4),
    "loop": normalized(point(3, 1)),
}
WITH_A_WARNING = {"gkern-sqrt", "linspace"}
