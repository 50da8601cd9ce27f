"""What noisy ratings of pairs of outcomes tell of the utility behind them (Bradley–Terry).

Outcomes are standard normal in d whitened dimensions, utilities unit vectors, uniformly random: the
better outcome of a pair is preferred with probability ``σ(βΔ)``, ``Δ ~ N(0, 2)`` the difference of
their utilities in standard deviations, ``σ(a) = 1/(1 + e^−a)``, β the ``rationality``.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import elementwise
from scipy.special import expit, ndtr

from sumabm.theory.arguments import checked
from sumabm.types import Array

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(256)
_NORMAL = np.linspace(-9.0, 9.0, 161)
_NORMAL_WEIGHTS = np.exp(-0.5 * _NORMAL**2) / np.exp(-0.5 * _NORMAL**2).sum()
_LOGISTIC = np.linspace(-40.0, 40.0, 241)
_LOGISTIC_WEIGHTS = expit(_LOGISTIC) * expit(-_LOGISTIC) * (_LOGISTIC[1] - _LOGISTIC[0])


def pair_information(rationality: Array | float) -> Array:
    """Return the mutual information, in nats, of a utility and the first answer about a pair.

    ``I(β) = ln 2 − E h(σ(βΔ))``, h the entropy of a coin; the limit d → ∞, where ``v·x ~ N(0, 2)``
    before anything is known. ``β²/4`` as β → 0, ln 2 as β → ∞; later pairs tell less. Any shape;
    relative error 1e-12. ValueError for a rationality not above 0.

    >>> round(float(pair_information(1.0)), 9)
    0.153647119
    """
    beta = checked("positive", "rationality", rationality)[..., None]
    scale = np.sqrt(2.0) * beta
    end = np.minimum(12.0 * scale, 60.0)  # beyond: no mass, or nothing left to tell
    a = 0.5 * (1.0 + _POINTS) * end
    density = np.exp(-0.5 * (a / scale) ** 2) * np.sqrt(2.0 / np.pi) / scale
    t, fall = np.tanh(0.5 * a), np.log1p(np.exp(-a))
    # ln 2 − h = (a/2) tanh(a/2) − ln cosh(a/2); near 0 by logs in which nothing cancels
    log_cosh = np.where(
        a < 1.0, -0.5 * np.log1p(-np.minimum(t * t, 0.5)), 0.5 * a - np.log(2) + fall
    )
    gain, left = 0.5 * a * t - log_cosh, fall + a * expit(-a)
    small = end < 60.0
    value = np.where(small, gain, left) * density * 0.5 * end * _WEIGHTS
    total = value.sum(axis=-1)
    return np.asarray(np.where(small[..., 0], total, np.log(2.0) - total))


def pair_precision(rationality: Array | float, alignment: Array | float = 0.0) -> Array:
    """Return ``2 E[g²]``: what a pair adds to d x, where a belief of that alignment asks it.

    g is the score of the answer in the belief's mean μ of Δ, ``g = ∂ ln Z/∂μ``,
    ``Z = E σ(βΔ)`` with ``Δ ~ N(μ, 2(1 − c²))`` and ``μ ~ N(0, 2c²)``: the logistic's Fisher
    information, averaged over pairs and answers. ``β²/2`` as β → 0, ``2/π`` as β → ∞ at c = 0. All
    broadcast; ValueError for a rationality not above 0, an alignment outside [0, 1].

    >>> round(float(pair_precision(1e6)), 9), round(float(pair_precision(1e-3)) * 1e6, 5)
    (0.636619772, 0.5)
    """
    beta = checked("positive", "rationality", rationality)
    c = checked("a cosine", "alignment", alignment)
    return _precision(*np.broadcast_arrays(beta, c * c))


def preference_alignment(
    d: Array | float, pairs: Array | float, rationality: Array | float
) -> Array:
    """Return the alignment of the best belief after so many ``pairs``: the limit d → ∞.

    ``c = sqrt(x/(1+x))`` with ``x = (pairs/d) · pair_precision(β, c)``, solved for c: the state
    evolution of the exact posterior at fixed pairs/d. While few pairs are known x is that at
    c = 0, ``c ≈ sqrt(x/(1+x))`` in closed form: too low by 2 % at pairs = d/4 and 6 % at d for
    β = 2, by 4 % and 11 % for an oracle. A belief that forgets the pairs, as `ratings` keeps, meets
    the solved c while pairs ≤ 2d at β ≤ 2; of an oracle's it falls short by 1 % from 2d on. All
    broadcast; 0 without pairs. Values out of range raise ValueError.

    >>> round(float(preference_alignment(100.0, 100.0, 2.0)), 4)
    0.5969
    """
    d = checked("positive", "d", d)
    per = checked("an amount", "pairs", pairs) / d
    beta = checked("positive", "rationality", rationality)
    per, beta = np.broadcast_arrays(per, beta)

    def excess(rest: Array, per: Array, beta: Array) -> Array:
        known = 1.0 - rest  # c²; rest/known = 1/x
        return np.asarray(rest * per * _precision(beta, known) - known)

    root = elementwise.find_root(excess, (np.full(per.shape, 1e-12), np.ones(per.shape)),
                                 args=(per, beta))  # fmt: skip
    return np.sqrt(np.where(per > 0.0, 1.0 - root.x, 0.0))


def _precision(beta: Array, known: Array) -> Array:
    """Return ``2 E[g²]`` with a share ``known`` of the variance of Δ known, of one shape."""
    beta, known = beta[..., None], known[..., None]
    rest = np.sqrt(2.0 * (1.0 - known))
    scale = np.sqrt(2.0 * known)
    width = np.hypot(rest, np.pi / (np.sqrt(3.0) * beta))  # on which answers get sure
    bunch = np.minimum(1.0, width / np.maximum(scale, 1e-300))
    t = np.linspace(-1.0, 1.0, 161) * np.arcsinh(9.0 / bunch)
    normal = bunch * np.sinh(t)
    weights = np.exp(-0.5 * normal**2) * np.cosh(t)
    weights /= weights.sum(axis=-1, keepdims=True)
    mean = scale * normal
    slope, chance = _answer(mean, rest, beta)
    other = chance[..., ::-1]  # of the opposite answer: the nodes are symmetric
    with np.errstate(divide="ignore", invalid="ignore"):
        square = np.where((chance > 0.0) & (other > 0.0), slope**2 / (chance * other), 0.0)
    return np.asarray(2.0 * (weights * square).sum(axis=-1))


def _answer(mean: Array, rest: Array, beta: Array) -> tuple[Array, Array]:
    """Return ``Z'`` and ``Z = E σ(βΔ)``, ``Δ ~ N(mean, rest²)``: a sum over the narrower law."""
    narrow = beta * rest <= 1.0
    shape = np.broadcast_shapes(mean.shape, rest.shape, beta.shape)
    spread, slopes = np.broadcast_to(rest, shape), np.broadcast_to(beta, shape)
    pick, where = np.broadcast_to(narrow, shape), np.broadcast_to(mean, shape)
    slope, chance = np.empty(shape), np.empty(shape)
    m, r, b = (array[pick][:, None] for array in (where, spread, slopes))
    odds = b * (m + r * _NORMAL)
    slope[pick] = (_NORMAL_WEIGHTS * b * expit(odds) * expit(-odds)).sum(axis=-1)
    chance[pick] = (_NORMAL_WEIGHTS * expit(odds)).sum(axis=-1)
    m, r, b = (array[~pick][:, None] for array in (where, spread, slopes))
    z = (m - _LOGISTIC / b) / r
    density = np.exp(-0.5 * z * z) / (np.sqrt(2.0 * np.pi) * r)
    slope[~pick] = (_LOGISTIC_WEIGHTS * density).sum(axis=-1)
    chance[~pick] = (_LOGISTIC_WEIGHTS * ndtr(z)).sum(axis=-1)
    return slope, chance
