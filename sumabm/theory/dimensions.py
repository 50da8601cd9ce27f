"""What some dimensions tell of all: sandboxes, left turns, and looks that are counted twice.

A random unit vector in d dimensions has in k of them a part of length L, ``E L² = k/d``, in a
direction that L says nothing about. A sandbox shows that direction; a left turn adds dimensions.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from sumabm.theory.arguments import checked
from sumabm.theory.looking import expected_alignment
from sumabm.types import Array

EDITS = ("full", "confined")


def mean_length(d: Array | float, k: Array | float) -> Array:
    """Return ``E L``, the mean length of a random unit vector's part in k of d dimensions.

    ``Γ(d/2) Γ((k+1)/2) / (Γ((d+1)/2) Γ(k/2))``, which tends to ``sqrt(k/d)`` as d → ∞. d and k
    (1 ≤ k ≤ d) broadcast; values out of range raise ValueError.

    >>> mean_length(3, [1, 2, 3]).round(12).tolist()  # 1/2, π/4, 1
    [0.5, 0.785398163397, 1.0]
    """
    d, k = np.broadcast_arrays(checked("dimensions", "d", d), checked("positive", "k", k))
    if not np.all((k >= 1.0) & (k <= d)):
        raise ValueError(f"k must lie from 1 to d; got {k[~((k >= 1.0) & (k <= d))].flat[0]}")
    log = gammaln(0.5 * d) - gammaln(0.5 * (d + 1.0)) + gammaln(0.5 * (k + 1.0)) - gammaln(0.5 * k)
    return np.asarray(np.where(k == d, 1.0, np.exp(log)))


def sandbox_alignment(
    fraction: Array | float, fidelity: Array | float = 1.0, edits: str = "full"
) -> Array:
    """Return the alignment at which an AI in a sandbox saturates, with random utilities, d → ∞.

    All that a copy with a ``fraction`` f of the dimensions can show is the direction of the AI's
    part in them, of length ``sqrt(f)``, with cosine ``fidelity`` ρ. Edits that turn it onto all of
    v_Y ("full") reach ``ρ sqrt(f)``; ones "confined" to these dimensions turn it onto v_Y's part,
    of length ``sqrt(f)`` as well: ``ρ f``. Arguments broadcast; values out of range raise
    ValueError.

    >>> float(sandbox_alignment(0.25)), float(sandbox_alignment(0.25, edits="confined"))
    (0.5, 0.25)
    """
    f = checked("a cosine", "fraction", fraction)
    return np.asarray(checked("a cosine", "fidelity", fidelity) * f ** (0.5 * _lengths(edits)))


def sandbox_expected_alignment(
    d: Array | float,
    k: Array | float,
    x: Array | float,
    fidelity: Array | float = 1.0,
    edits: str = "confined",
) -> Array:
    """Return mean alignment after looks worth ``x = Σ 2 n O/k`` at an AI in a copy with k of d.

    ``ρ E[L]^m E A_k(R|s|)``, `mean_length` L and `expected_alignment` in k dimensions, m = 1 for
    "full" edits and 2 for "confined" ones (the AI's length and v_Y's are independent). Exact at
    finite d where edits don't bind: for confined edits after any number of steps, for full ones
    after the first edit (later ones show again, and more clearly, what is left to turn). k is 2 or
    more; arguments broadcast; values out of range raise ValueError.

    >>> float(sandbox_expected_alignment(100, 50, 1.0).round(4))
    0.3522
    """
    length = mean_length(d, k) ** _lengths(edits)
    rho = checked("a cosine", "fidelity", fidelity)
    return np.asarray(rho * length * expected_alignment(checked("dimensions", "k", k), x))


def _lengths(edits: str) -> int:
    """Return how many lengths the alignment has as factors: the AI's, and v_Y's if confined."""
    if edits not in EDITS:
        raise ValueError(f"edits must be one of {', '.join(EDITS)}; got {edits!r}")
    return 1 + EDITS.index(edits)


def left_turn_alignment(
    alignment: Array | float, share: Array | float, *, ai_only: bool = False
) -> Array:
    """Return mean alignment once a ``share`` s of both squared lengths is in new dimensions.

    ``(1 − s) c`` where the AI's new part is random; ``sqrt(1 − s) c`` as long as only the AI's
    utility has the new dimensions. Arguments (c from −1 to 1, s from 0 to 1) broadcast; values out
    of range raise ValueError.

    >>> float(left_turn_alignment(0.8, 0.75)), float(left_turn_alignment(0.8, 0.75, ai_only=True))
    (0.2, 0.4)
    """
    kept = 1.0 - checked("a cosine", "share", share)
    c = checked("a correlation", "alignment", alignment)
    return np.asarray((np.sqrt(kept) if ai_only else kept) * c)


def left_turn_spread(share: Array | float, dimensions: Array | float) -> Array:
    """Return ``s/sqrt(Δ)``, the standard deviation of alignment that Δ new dimensions bring.

    That of s times the cosine of two directions, one random. Arguments broadcast; values out of
    range raise ValueError.

    >>> float(left_turn_spread(0.5, 100))
    0.05
    """
    new = checked("dimensions", "dimensions", dimensions)
    return np.asarray(checked("a cosine", "share", share) / np.sqrt(new))


def replayed_alignment(x: Array | float, replays: Array | float) -> Array:
    """Return the alignment expected by one who counts every look ``1 + r`` times, as d → ∞.

    ``2K/(1 + sqrt(1 + 4K²))``, ``K = (1 + r) sqrt(x(1 + x))`` the concentration per dimension.
    Looking at a sample again tells nothing: true alignment stays `looking.bayesian_alignment`,
    which this is for r = 0 ``replays``. Arguments broadcast; values out of range raise ValueError.

    >>> replayed_alignment(1.0, [0, 1, 9]).round(4).tolist()
    [0.7071, 0.8387, 0.9653]
    """
    x = checked("an amount", "x", x)
    per_dimension = (1.0 + checked("an amount", "replays", replays)) * np.sqrt(x * (1.0 + x))
    return np.asarray(2.0 * per_dimension / (1.0 + np.sqrt(1.0 + 4.0 * per_dimension**2)))
