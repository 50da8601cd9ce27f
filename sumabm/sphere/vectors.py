"""Unit vectors from the von Mises-Fisher law, from given draws or from a generator."""

from __future__ import annotations  # naming a Generator would load numpy.random

import numpy as np
from numpy.typing import ArrayLike

from sumabm.sphere._elementwise import FloatArray
from sumabm.sphere.quantiles import divergence_quantile


def sample(
    mean_direction: ArrayLike, kappa: ArrayLike, quantile: ArrayLike, tangent: ArrayLike
) -> FloatArray:
    """Return von Mises-Fisher vectors made from draws that the caller provides.

    ``x = c mu + sqrt(1 - c^2) t``: c the `quantile`-th quantile of the cosine [wood-1994], t the
    part of `tangent` orthogonal to mu, normalised. No row depends on the other rows.

    ``mean_direction`` holds the unit vectors mu, shape (..., d), d >= 2; ``kappa`` concentrations,
    shape (...), 0 to inf; ``quantile`` numbers uniform in (0, 1), shape (...); ``tangent``
    independent standard normals, shape (..., d). The leading shapes broadcast. The result, shape
    (..., d), has unit rows: mu itself at kappa = inf.

    A value out of range, last axes that differ, or a tangent along mu, raises ValueError.

    >>> sample([1.0, 0.0], np.inf, 0.3, [0.5, 0.5])
    array([1., 0.])
    """
    mu = np.asarray(mean_direction, dtype=np.float64)
    normal = np.asarray(tangent, dtype=np.float64)
    if mu.shape[-1:] != normal.shape[-1:]:
        raise ValueError(
            "mean_direction and tangent must have the same last axis; "
            f"got shapes {mu.shape} and {normal.shape}"
        )
    phi = np.asarray(divergence_quantile(mu.shape[-1], kappa, quantile))[..., None]
    mu, normal = (np.ascontiguousarray(a) for a in np.broadcast_arrays(mu, normal))
    across = normal - np.vecdot(mu, normal)[..., None] * mu
    length = np.sqrt(np.vecdot(across, across))[..., None]
    if not np.all(length > 0.0):
        raise ValueError("tangent must not be zero or along mean_direction; at least one row is")
    vectors: FloatArray = (1.0 - phi) * mu + np.sqrt(phi * (2.0 - phi)) / length * across
    return vectors


def sample_vectors(
    mean_direction: ArrayLike, kappa: float, size: int, rng: np.random.Generator
) -> FloatArray:
    """Return `size` von Mises-Fisher vectors, shape (size, d): `sample` with draws from `rng`.

    >>> sample_vectors([0.0, 1.0], 5.0, 4, np.random.default_rng(1)).shape
    (4, 2)
    """
    mu = np.asarray(mean_direction, dtype=np.float64)
    return sample(mu, kappa, rng.random(size), rng.standard_normal((size, mu.shape[-1])))
