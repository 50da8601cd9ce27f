"""How much worse off a human is: harm amplitudes, whose squares are nats."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

import numpy as np
from pydantic import Field

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


class Fragile(Harm):
    """Regret of which small shares count less or more: ``φ^m`` in place of ``φ``.

    ``h½ = φ^m · sqrt(K)`` with the displacement K and the share ``φ = (regret amplitude)/sqrt(K)``
    of it, which in a Gaussian world is the divergence 1 − c; 0 at K = 0. m = 1 is `Regret`; above
    1 an AI that is nearly aligned does less harm, and one that acts against humans (φ > 1) more.
    """

    kind = "fragile"
    cites = ("essay",)

    exponent: Annotated[float, Field(gt=0.0, le=100.0, description="the power m of the divergence")]

    def amplitude(self, utility: Array, view: View) -> Array:
        """Return ``(R,)``."""
        whole = np.sqrt(view.world.nats_from(view.base))
        share = Regret().amplitude(utility, view) / np.where(whole > 0.0, whole, 1.0)
        return np.asarray(share**self.exponent * whole)


class Narrow(Harm):
    """Regret where humans can live only in worlds near theirs: within a width across their utility.

    The base world is taken for what humans were made for, and of it they tolerate a narrower
    distribution T: as wide along their utility, ``width`` w of it in every other direction. The
    displacement counted from T, ``K_w = (gain² + across²/w²)/2`` with ``gain = E_Q u − E_base u``
    and ``across² = G(K)² − gain²`` (in a Gaussian world ``KL(Q‖T) − KL(base‖T)``: every nat across
    costs 1/w² nats), takes the place of K in regret: ``h½ = sqrt(K_w) − gain/sqrt(2)``. In a
    Gaussian world that resets it is ``(sqrt(c² + (1 − c²)/w²) − c) · residual``. At w = 1 it is
    `Regret`; as w → 0, `Orthogonal` over w.
    """

    kind = "narrow"
    cites = ("essay",)

    width: Annotated[
        float,
        Field(
            ge=1e-9,
            le=1.0,
            json_schema_extra={"unit": "sd"},
            description="width of tolerable worlds across the utility, in the base world's",
        ),
    ]

    def amplitude(self, utility: Array, view: View) -> Array:
        """Return ``(R,)``."""
        best, gain = _best(utility, view), _gain(utility, view)
        across2 = np.maximum((best - gain) * (best + gain), 0.0) / self.width**2
        whole = np.sqrt(gain**2 + across2)
        ahead = np.maximum(gain, 0.0) + whole  # sqrt(K_w) − gain cancels where gain is positive
        rise = np.where(gain > 0.0, across2 / np.where(ahead > 0.0, ahead, 1.0), whole - gain)
        return np.asarray(rise / _SQRT2)
