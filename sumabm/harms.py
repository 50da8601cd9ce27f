"""How much worse off a human is: harm amplitudes, whose squares are nats."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from sumabm.component import Component
from sumabm.types import Array
from sumabm.view import View

_SQRT2 = np.sqrt(2.0)


class Harm(Component):
    """A measure of harm to one human; `amplitude` is ``sqrt(nats)``, at least 0."""

    @abstractmethod
    def amplitude(self, utility: Array, view: View) -> Array:
        """Return the harm amplitude ``(R,)`` of ``view.world`` to whoever has ``utility``.

        ``utility (R, d)`` has unit standard deviation under ``view.base``.
        """


def _gain(utility: Array, view: View) -> Array:
    return view.world.expect(utility) - view.base.expect(utility)


def _best(utility: Array, view: View) -> Array:
    return view.base.best_gain(utility, view.world.nats_from(view.base))


class Regret(Harm):
    """What an aligned society with the same effect on the world would have given, less what is.

    ``h½ = (G(K) − (E_Q u − E_base u))/sqrt(2)``, K the displacement ``KL(Q‖base)``, ``G(K)`` the
    best gain in u at K nats. One AI, undone, in a Gaussian world that resets:
    ``(1 − c)(sqrt(O_X) − sqrt(O_Y))₊``.
    """

    kind = "regret"
    cites = ("essay",)

    def amplitude(self, utility: Array, view: View) -> Array:
        """Return ``(R,)``."""
        return np.maximum(_best(utility, view) - _gain(utility, view), 0.0) / _SQRT2


class Orthogonal(Harm):
    """The part of the displacement that has nothing to do with the human's utility.

    ``h½ = sqrt(G(K)² − (E_Q u − E_base u)²)/sqrt(2)``: in a Gaussian world `Regret` with
    ``sqrt(1 − c²)`` in place of ``1 − c``.
    """

    kind = "orthogonal"
    cites = ("essay",)

    def amplitude(self, utility: Array, view: View) -> Array:
        """Return ``(R,)``."""
        best, gain = _best(utility, view), _gain(utility, view)
        return np.sqrt(np.maximum((best - gain) * (best + gain), 0.0)) / _SQRT2


class UtilityLoss(Harm):
    """The fall of the human's expected utility below the base world's; gains count as no harm.

    ``h½ = (E_base u − E_Q u)₊/sqrt(2)``.
    """

    kind = "utility-loss"

    def amplitude(self, utility: Array, view: View) -> Array:
        """Return ``(R,)``."""
        return np.maximum(-_gain(utility, view), 0.0) / _SQRT2
