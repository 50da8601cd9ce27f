"""Time of the sphere's functions per element, beside numpy.exp in the same run; beside SciPy.

Run from the repository root: ``python benchmarks/sphere.py``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.peers import fisher
from benchmarks.timing import Case, medians
from sumabm import sphere
from sumabm.types import Array

SIZE = 100_000
REPEATS = 15
DRAWS, KAPPA = 10_000, 50.0


def functions() -> dict[str, Callable[..., object]]:
    """Return one call per function on SIZE values: d and the smaller of c, 1 - c log-uniform."""
    rng = np.random.default_rng(20261121)
    d = np.exp(rng.uniform(np.log(2.0), np.log(1e9), SIZE))
    small = 10.0 ** rng.uniform(-12.0, 0.0, SIZE)
    cosine = np.where(rng.random(SIZE) < 0.5, small, 1.0 - small)
    kappa = np.asarray(sphere.concentration(d, cosine))
    spent = np.asarray(sphere.nats(d, cosine))
    out = np.empty(SIZE)
    return {
        "numpy.exp": lambda: np.exp(small, out=out),
        "mean_cosine": lambda: sphere.mean_cosine(d, kappa),
        "divergence": lambda: sphere.divergence(d, kappa),
        "nats (kappa)": lambda: sphere.nats(d, kappa=kappa),
        "nats (cosine)": lambda: sphere.nats(d, cosine),
        "concentration (cosine)": lambda: sphere.concentration(d, cosine),
        "concentration (nats)": lambda: sphere.concentration(d, nats=spent),
        "cosine_from_nats": lambda: sphere.cosine_from_nats(d, spent),
        "divergence_from_nats": lambda: sphere.divergence_from_nats(d, spent),
    }


def ratios() -> dict[str, tuple[float, float]]:
    """Return nanoseconds per element of each function, and their ratio to those of numpy.exp."""
    seconds = medians(functions(), REPEATS)
    unit = seconds["numpy.exp"]
    return {name: (1e9 * s / SIZE, s / unit) for name, s in seconds.items()}


def cases() -> Iterator[Case]:
    """Yield what `scipy.stats.vonmises_fisher` can do too, in 3 and in 100 dimensions."""
    for d in (3, 100):
        mean = np.eye(d)[0]
        rng = np.random.default_rng(d)
        yield Case(
            "sphere",
            f"{DRAWS:,} von Mises–Fisher vectors, d = {d}",
            "scipy.stats.vonmises_fisher.rvs",
            partial(sphere.sample_vectors, mean, KAPPA, DRAWS, rng),
            partial(fisher.sample, mean, KAPPA, DRAWS, rng),
        )
    mean = np.eye(3)[0]
    vectors = sphere.sample_vectors(mean, KAPPA, DRAWS, np.random.default_rng(0))
    yield Case(
        "sphere",
        f"a fit to {DRAWS:,} vectors, d = 3",  # at d = 100 SciPy's fails: NaN, kappa 1e-8
        "scipy.stats.vonmises_fisher.fit",
        partial(fit, vectors),
        partial(fisher.fit, vectors),
    )


def fit(vectors: Array) -> tuple[Array, float]:
    """Return the mean direction and the concentration of unit vectors ``(n, d)``."""
    mean = vectors.mean(axis=0)
    length = np.sqrt(mean @ mean)
    return mean / length, float(sphere.concentration(vectors.shape[1], length))


def main() -> None:
    print(f"{'function':26}{'ns/element':>12}{'x exp':>8}")
    for name, (nanoseconds, ratio) in ratios().items():
        print(f"{name:26}{nanoseconds:12.1f}{ratio:8.0f}")
    rng = np.random.default_rng(1)
    for size in (1, 1000, 10_000):
        quantiles = partial(sphere.cosine_quantile, 1000.0, 300.0, rng.random(size))
        seconds = medians({size: quantiles}, 50)
        print(f"cosine_quantile of {size} at one kappa: {1e6 * seconds[size]:.0f} us")


if __name__ == "__main__":
    main()
