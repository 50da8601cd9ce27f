"""Coefficients of the uniform expansions behind `sumabm.sphere.kernels`, made at import.

With ``m = d - 1`` the mean cosine A solves the Riccati equation ``A' = 1 - A^2 - m A / kappa``
[mardia-jupp-2000]. Its formal solutions in powers of 1/m, forwards and inverted, are Debye's
expansions of the Bessel ratio [dlmf-10.41]. Their variables are ``p = m / hypot(m, 2 kappa)`` and
``P = (1 - A^2) / (1 + A^2)``, equal to leading order, each with ``h`` = itself over m.
"""

from functools import partial

import numpy as np

from sumabm.sphere._elementwise import FloatArray, Floats, either, shaped

Polynomial = FloatArray  # coefficients, lowest power first
Table = list[list[float]]  # polynomials by the power of h, coefficients highest power first

TERMS = 10
NATS_TERMS = 9
FEW, SMALL = 7, 1.0 / 750.0
"""So many terms do at h below SMALL: what is left out is 4e-19 of the mean cosine at most."""


def _sum(*polynomials: Polynomial) -> Polynomial:
    total = np.zeros(max(map(len, polynomials)))
    for p in polynomials:
        total[: len(p)] += p
    return total


def _slope(p: Polynomial) -> Polynomial:
    return p[1:] * np.arange(1.0, len(p)) if len(p) > 1 else np.zeros(1)


def _horner(p: Polynomial, lowest: int = 0, step: int = 1) -> list[float]:
    return [float(a) for a in np.trim_zeros(p, "b")[lowest::step][::-1]]


def _mean_series() -> Table:
    """Make ``b_k(p) / p^(k+1)``, k = 1.., of ``A = A_0 (1 + sum_k b_k(p) / m^k)``.

    ``b_k = -p^2 (b_{k-1} - (1 - p^2) b'_{k-1}) - (1 - p)/2 sum_{0<i<k} b_i b_{k-i}``: dyadic
    coefficients, which floating point computes exactly.
    """
    b = [np.ones(1)]
    for k in range(1, TERMS + 1):
        change = _sum(b[-1], np.convolve([-1, 0, 1], _slope(b[-1])))
        products = [np.convolve(b[i], b[k - i]) for i in range(1, k)]
        b.append(
            _sum(
                np.convolve([0, 0, -1], change),
                *(np.convolve([-0.5, 0.5], product) for product in products),
            )
        )
    return [_horner(b[k], lowest=k + 1) for k in range(1, TERMS + 1)]


def _inverse_series() -> list[Polynomial]:
    """Make ``g_k(P)``, k = 1.., of ``kappa = m A / (1 - A^2) (1 + sum_k g_k(P) / m^k)``.

    With g their sum, ``g (1 + g - P (1 - P^2) g') = (1 + g) P / m``; the coefficients are whole.
    """
    g = [np.array([0.0, 1.0])]
    factors: list[Polynomial] = []
    while len(g) < TERMS:
        factors.append(_sum(g[-1], -np.convolve([0, 1, 0, -1], _slope(g[-1]))))
        products = (-np.convolve(a, b) for a, b in zip(g[::-1], factors, strict=True))
        g.append(_sum(np.convolve([0, 1], g[-1]), *products))
    return g


def _nats_series(g: list[Polynomial]) -> Table:
    """Make ``n_k(P)``, k = 2.., of the nats [see `sumabm.sphere.kernels.nats_of`].

    ``D = -m/2 log(1 - A^2) + 1/2 log(1 + A^2) + (1 - P)^2 sum_k n_k(P) / m^(k-1)``. As
    ``dD/dA = kappa``, ``(1 - P)^2 n_k`` is the integral of ``g_k(x) / (2x (1 + x))`` from P to 1.
    """
    table = []
    for term in g[1:NATS_TERMS]:
        dividend = np.trim_zeros(term, "b")
        quotient = np.zeros(len(dividend) - 1)
        for power in range(len(quotient) - 1, 0, -1):  # synthetic division by x (1 + x), exact
            quotient[power - 1] = dividend[power + 1] - quotient[power]
        integral = quotient[:-1] / (2.0 * np.arange(1.0, len(quotient)))
        remainder = np.concatenate(([integral.sum()], -integral))
        table.append(_horner(np.cumsum(np.cumsum(remainder))[:-2]))  # divided by 1 - P twice
    return table


_INVERSE = _inverse_series()
MEAN = _mean_series()
CONCENTRATION = [_horner(g, lowest=k, step=2) for k, g in enumerate(_INVERSE, start=1)]
NATS = _nats_series(_INVERSE)


def evaluate(table: Table, x: Floats, h: Floats) -> Floats:
    """Evaluate ``sum_k table_k(x) h^k``, k = 0.., by Horner's rule in both variables."""
    if x.size == 1:  # the same bits without the cost of 200 calls, which one number cannot carry
        small = h.item() < SMALL
        number = _evaluate_one(table[:FEW] if small else table, x.item(), h.item())
        return shaped(number, x.shape)
    few, whole = partial(_evaluate, table[:FEW]), partial(_evaluate, table)
    total: Floats = either(h < SMALL, few, whole, x, h)
    return total


def _evaluate(table: Table, x: FloatArray, h: FloatArray) -> FloatArray:
    total = np.zeros_like(x)
    inner = np.empty_like(x)
    for polynomial in reversed(table):
        inner.fill(polynomial[0])
        for coefficient in polynomial[1:]:
            inner *= x
            inner += coefficient
        total *= h
        total += inner
    return total


def _evaluate_one(table: Table, x: float, h: float) -> float:
    total = 0.0
    for polynomial in reversed(table):
        inner = polynomial[0]
        for coefficient in polynomial[1:]:
            inner = inner * x + coefficient
        total = total * h + inner
    return total
