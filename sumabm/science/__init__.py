"""Published numbers that are exact cases of Statistical Utility Mechanics, and ours beside them.

A module an idea: each has a ``TITLE`` and ``CLAIMS``, whose numbers come out of worlds, tilts,
agents and aligners as anybody would use them. To add a number, add a claim, and in
``tests/reference/controls.py`` a wrong number that it refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sumabm.science.claims import Claim, Item

ITEMS = (
    "channel",
    "goodhart",
    "best-of-n",
    "bounded-rationality",
    "pools",
    "robust",
    "quantilizers",
    "off-switch",
    "power-seeking",
)
"""The ideas, in the order in which they are told."""


def item(name: str) -> Item:
    """Return the module of one of the ``ITEMS``."""
    return cast("Item", import_module(f"sumabm.science.{name.replace('-', '_')}"))


def claims_of(names: Iterable[str] = ITEMS) -> list[tuple[str, Claim]]:
    """Return the claims of these items, each with the item's name."""
    return [(name, claim) for name in names for claim in item(name).CLAIMS]
