"""What is compared in peers.py: isogram's rows, the peers' calls that mean the same, and the ratios to reach.

A further peer is a line in PEERS, a further row a line in ROWS. It knows nothing of timing or of isogram's command.
"""
import importlib
import importlib.metadata
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import peer_clblast


def optional(module):
    try:
        return importlib.import_module(module)
    except ImportError:
        return None


pairwise = optional("sklearn.metrics.pairwise")
gp = optional("sklearn.gaussian_process.kernels")
distance = optional("scipy.spatial.distance")
torch = optional("torch")


@dataclass(frozen=True)
class Library:
    name: str
    found: bool
    by_default: bool = True
    compiles: bool = False  # in its first call of a size, which is not timed

    def version(self):
        try:
            return importlib.metadata.version("torch" if self.name == "PyTorch" else self.name)
        except importlib.metadata.PackageNotFoundError:
            return ""


LIBRARIES = {library.name: library for library in (
    Library("scikit-learn", bool(pairwise and gp)),
    Library("SciPy", bool(distance)),
    Library("NumPy", True),
    Library("PyTorch", bool(torch)),
    Library("CLBlast", peer_clblast.installed(), by_default=False, compiles=True),
)}


@dataclass(frozen=True)
class Row:
    """A kernel of isogram, at one choice of its parameters. The scale is one number of the dimension d."""
    name: str
    scale: str = ""  # gamma or lengthscale
    value: Callable = lambda d: 1 / d
    params: dict = field(default_factory=dict)
    non_negative: bool = False
    dims: tuple = (64,)

    def points(self, n, d, dtype):
        random = np.random.default_rng(0)
        return (random.random if self.non_negative else random.standard_normal)((n, d)).astype(dtype)

    def options(self, d):
        """As isogram's command takes them."""
        scale = [f"--{self.scale}", repr(float(self.value(d)))] if self.scale else []
        return ["--kernel", self.name, *scale, *(f"--param={key}={value}" for key, value in self.params.items())]

    def arguments(self, d):
        """As PEERS takes them."""
        return {**({self.scale: float(self.value(d))} if self.scale else {}), **self.params}


ROWS = {row.name: row for row in (
    Row("rbf", "gamma", lambda d: 0.5 / d, dims=(3, 16, 64, 784)),
    Row("laplacian", "gamma"),
    Row("matern12", "lengthscale", math.sqrt),
    Row("matern32", "lengthscale", math.sqrt),
    Row("matern52", "lengthscale", math.sqrt),
    Row("rational_quadratic", "lengthscale", math.sqrt, {"alpha": 1.5}),
    Row("periodic", "lengthscale", lambda d: 1.25, {"period": 10}),
    Row("linear"),
    Row("polynomial", "gamma", params={"degree": 3, "coef0": 1}),
    Row("sigmoid", "gamma", params={"coef0": 1}),
    Row("cosine"),
    Row("chi2", "gamma", non_negative=True),
    Row("additive_chi2", non_negative=True),
    Row("sqeuclidean"),
    Row("euclidean"),
    Row("cityblock"),
)}


def numpy_expanded(x, gamma, product=None):
    """exp(-gamma (|x|^2 - 2 x.y + |y|^2)) with one K in memory."""
    k = x @ x.T if product is None else product
    squares = np.einsum("ij,ij->i", x, x)
    k *= -2
    k += squares[:, None]
    k += squares
    np.maximum(k, 0, out=k)
    k *= -gamma
    return np.exp(k, out=k)


def torch_cdist(x, gamma):
    x = torch.from_numpy(x)
    return torch.cdist(x, x).square_().mul_(-gamma).exp_().numpy()


def torch_expanded(x, gamma):
    x = torch.from_numpy(x)
    squares = x.square().sum(1)
    return torch.addmm(squares, x, x.T, alpha=-2).add_(squares[:, None]).clamp_min_(0).mul_(-gamma).exp_().numpy()


@dataclass(frozen=True)
class Peer:
    row: str
    library: str
    name: str
    call: Callable  # of the points and the row's arguments; gives K(X, X)
    dtypes: tuple = ("float32", "float64")

    @property
    def label(self):
        return f"{self.library} {self.name}"


PEERS = (
    Peer("rbf", "scikit-learn", "rbf_kernel", lambda x, gamma: pairwise.rbf_kernel(x, gamma=gamma)),
    Peer("rbf", "SciPy", "exp(-cdist)", lambda x, gamma: np.exp(-gamma * distance.cdist(x, x, "sqeuclidean")), ("float64",)),
    Peer("rbf", "NumPy", "expanded", numpy_expanded),
    Peer("rbf", "PyTorch", "cdist", torch_cdist),
    Peer("rbf", "PyTorch", "expanded", torch_expanded),
    Peer("rbf", "CLBlast", "GEMM, NumPy exp", lambda x, gamma: numpy_expanded(x, gamma, peer_clblast.product(x))),
    Peer("laplacian", "scikit-learn", "laplacian_kernel", lambda x, gamma: pairwise.laplacian_kernel(x, gamma=gamma)),
    Peer("matern12", "scikit-learn", "Matern(nu=0.5)", lambda x, lengthscale: gp.Matern(lengthscale, nu=0.5)(x)),
    Peer("matern32", "scikit-learn", "Matern(nu=1.5)", lambda x, lengthscale: gp.Matern(lengthscale, nu=1.5)(x)),
    Peer("matern52", "scikit-learn", "Matern(nu=2.5)", lambda x, lengthscale: gp.Matern(lengthscale, nu=2.5)(x)),
    Peer("rational_quadratic", "scikit-learn", "RationalQuadratic",
         lambda x, lengthscale, alpha: gp.RationalQuadratic(lengthscale, alpha)(x)),
    Peer("periodic", "scikit-learn", "ExpSineSquared",
         lambda x, lengthscale, period: gp.ExpSineSquared(lengthscale, period)(x)),
    Peer("linear", "scikit-learn", "linear_kernel", lambda x: pairwise.linear_kernel(x)),
    Peer("polynomial", "scikit-learn", "polynomial_kernel", lambda x, **given: pairwise.polynomial_kernel(x, **given)),
    Peer("sigmoid", "scikit-learn", "sigmoid_kernel", lambda x, **given: pairwise.sigmoid_kernel(x, **given)),
    Peer("cosine", "scikit-learn", "cosine_similarity", lambda x: pairwise.cosine_similarity(x)),
    Peer("chi2", "scikit-learn", "chi2_kernel", lambda x, gamma: pairwise.chi2_kernel(x, gamma=gamma)),
    Peer("additive_chi2", "scikit-learn", "additive_chi2_kernel", lambda x: pairwise.additive_chi2_kernel(x)),
    Peer("sqeuclidean", "SciPy", "cdist sqeuclidean", lambda x: distance.cdist(x, x, "sqeuclidean")),
    Peer("euclidean", "SciPy", "cdist euclidean", lambda x: distance.cdist(x, x, "euclidean")),
    Peer("cityblock", "SciPy", "cdist cityblock", lambda x: distance.cdist(x, x, "cityblock")),
)


# How many times faster isogram, mapped, is to be: by dtype, row, library and dimension, at n = TARGETS_AT.
TARGETS_AT = 8192
TARGETS = {
    ("float32", "rbf", "scikit-learn", 3): 30,
    ("float32", "rbf", "scikit-learn", 16): 18,
    ("float32", "rbf", "scikit-learn", 64): 14,
    ("float32", "rbf", "scikit-learn", 784): 3.5,
    ("float64", "rbf", "SciPy", 3): 28,
    ("float64", "rbf", "SciPy", 64): 45,
    ("float64", "rbf", "SciPy", 784): 60,
    ("float32", "laplacian", "scikit-learn", 64): 30,
    ("float32", "matern52", "scikit-learn", 64): 50,
    ("float32", "rational_quadratic", "scikit-learn", 64): 50,
    ("float32", "polynomial", "scikit-learn", 64): 10,
    ("float32", "sigmoid", "scikit-learn", 64): 8,
    ("float32", "chi2", "scikit-learn", 64): 15,
    ("float32", "linear", "scikit-learn", 64): 4,
    ("float32", "cosine", "scikit-learn", 64): 4,
}
