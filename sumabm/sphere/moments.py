"""Mean cosine, concentration and nats of the von Mises-Fisher law, each from any other."""

import numpy as np
from numpy.typing import ArrayLike

from sumabm.sphere._elementwise import Floats, checked, elementwise, one_of
from sumabm.sphere.kernels import (
    concentration_of,
    law_of,
    mean_pair,
    nats_of,
    pair_from_nats,
    pair_of,
)


def mean_cosine(d: ArrayLike, kappa: ArrayLike) -> Floats:
    """Return the mean cosine ``A_d(kappa) = I_{d/2}(kappa) / I_{d/2-1}(kappa)`` of the law.

    ``d`` is the dimension, 2 or more, not necessarily whole; ``kappa`` the concentration, 0 to
    inf. They broadcast. A lies in [0, 1] and is accurate to 1e-14 relative: 0 at kappa = 0 (the
    uniform law), 1 at inf. Use `divergence` where it is near 1.

    A value out of range raises ValueError. References: [mardia-jupp-2000], [dlmf-10.41].

    >>> round(mean_cosine(3, 1), 12)  # coth(1) - 1
    np.float64(0.313035285499)
    """
    arguments = checked("d", d), checked("kappa", kappa)
    return elementwise(lambda d, kappa: mean_pair(d, kappa)[0], arguments)


def divergence(d: ArrayLike, kappa: ArrayLike) -> Floats:
    """Return ``1 - A_d(kappa)``, to 1e-14 relative also where it is tiny; see `mean_cosine`.

    About ``(d - 1) / (2 kappa)`` at large kappa; 1 at kappa = 0, 0 at inf.

    >>> divergence(3, 1e20)
    np.float64(1e-20)
    """
    arguments = checked("d", d), checked("kappa", kappa)
    return elementwise(lambda d, kappa: mean_pair(d, kappa)[1], arguments)


def concentration(
    d: ArrayLike,
    cosine: ArrayLike | None = None,
    *,
    divergence: ArrayLike | None = None,
    nats: ArrayLike | None = None,
) -> Floats:
    """Return the kappa of the law that has the given mean cosine, divergence or nats.

    It solves ``A_d(kappa) = cosine``, ``1 - A_d(kappa) = divergence`` or ``D_d(kappa) = nats``,
    see `mean_cosine` and the function `nats`. Exactly one is given, in [0, 1], [0, 1] or [0, inf];
    it broadcasts against the dimension ``d``, 2 or more, not necessarily whole.

    Kappa is accurate to 1e-14 relative, but for the rounding of the argument (give the smaller of
    cosine and divergence): 0 at cosine 0, inf at cosine 1.

    A value out of range, or not exactly one of the three, raises ValueError.
    References: [mardia-jupp-2000], [dlmf-10.41].

    >>> round(concentration(3, divergence=1e-12) / 1e12, 12)
    np.float64(1.0)
    """
    name, value = one_of(cosine=cosine, divergence=divergence, nats=nats)

    def kernel(d: Floats, value: Floats) -> Floats:
        if name == "nats" and isinstance(value, np.float64):
            return law_of(float(d), float(value))[2]
        return concentration_of(d, *pair_of(name, d, value))

    return elementwise(kernel, (checked("d", d), checked(name, value)))


def nats(
    d: ArrayLike,
    cosine: ArrayLike | None = None,
    *,
    divergence: ArrayLike | None = None,
    kappa: ArrayLike | None = None,
) -> Floats:
    """Return the relative entropy of the law from the uniform law on the sphere, in nats.

    ``D_d = kappa A - log 0F1(; d/2; kappa^2/4)``, with ``dD/dA = kappa``; at large d
    ``-(d/2) log(1 - A^2) + (1/2) log(1 - A^4) + O(1/d)``.

    Exactly one of the mean ``cosine`` A, the ``divergence`` 1 - A (both in [0, 1]) and ``kappa``
    (in [0, inf]) is given; it broadcasts against the dimension ``d``, 2 or more, not necessarily
    whole. D is accurate to 1e-14 relative: 0 for the uniform law, inf at cosine 1.

    A value out of range, or not exactly one of the three, raises ValueError.
    References: [mardia-jupp-2000], [dlmf-10.41].

    >>> round(nats(1000, 0.5), 6)  # 500 log(4/3) + log(15/16) / 2 = 143.808767
    np.float64(143.808796)
    """
    name, value = one_of(cosine=cosine, divergence=divergence, kappa=kappa)

    def kernel(d: Floats, value: Floats) -> Floats:
        return nats_of(d, *pair_of(name, d, value), value if name == "kappa" else None)

    return elementwise(kernel, (checked("d", d), checked(name, value)))


def cosine_from_nats(d: ArrayLike, nats: ArrayLike) -> Floats:
    """Return the mean cosine of the law with the given nats: the inverse of ``nats(d, cosine)``.

    ``d`` is the dimension, 2 or more, not necessarily whole; ``nats`` 0 to inf. They broadcast.
    The cosine is about ``sqrt(2 nats / d)`` when small, 0 at nats = 0, 1 at inf; use
    `divergence_from_nats` where it is near 1. A value out of range raises ValueError.

    >>> round(cosine_from_nats(1000, 143.808796), 6)
    np.float64(0.5)
    """
    arguments = checked("d", d), checked("nats", nats)
    return elementwise(lambda d, nats: pair_from_nats(d, nats)[0], arguments)


def divergence_from_nats(d: ArrayLike, nats: ArrayLike) -> Floats:
    """Return 1 - `cosine_from_nats`, accurate also where it is tiny; 0 once it underflows.

    >>> divergence_from_nats(2, [0, 1000])
    array([1., 0.])
    """
    arguments = checked("d", d), checked("nats", nats)
    return elementwise(lambda d, nats: pair_from_nats(d, nats)[1], arguments)
