"""Published numbers beside ours as text: rows of a table, and pages of them in Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import numpy as np

from sumabm.science import item
from sumabm.science.claims import Checked

HEADS = ("source", "quantity", "published", "digits", "ours", "difference", "tolerance", "verdict")
NUMERIC = frozenset({"published", "ours", "difference"})
_DECIMALS = 11  # more depend on the machine
_WHOSE = {"published": "the source's", "recomputed": "recomputed"}


def row(checked: Checked) -> list[str]:
    """Return the texts of one number, in the order of ``HEADS``."""
    claim = checked.claim
    return [
        checked.source,
        claim.quantity,
        claim.published.replace("-", "−"),
        _WHOSE[claim.origin],
        _ours(checked),
        _difference(checked.difference),
        f"{_short(checked.tolerance)}: {checked.because}",
        "agrees" if checked.agrees else "off",
    ]


def markdown(found: Iterable[Checked]) -> str:
    """Return a section with a table for each item."""
    parts = []
    for name, those in groupby(found, lambda checked: checked.item):
        lines = [HEADS, ["---:" if head in NUMERIC else "---" for head in HEADS]]
        lines += [[text.replace("|", "\\|") for text in row(each)] for each in those]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts.append(f"### {item(name).TITLE}: `{name}`\n\n{table}\n")
    return "\n".join(parts)


def _ours(checked: Checked) -> str:
    """Return our number to a digit more than is compared, or with its standard error."""
    value, error = checked.ours
    if error:
        decimals = 1 - int(np.floor(np.log10(error)))
        return f"{value:.{decimals}f} ± {error:.{decimals}f}".replace("-", "−")
    decimals = max(checked.claim.decimals, 1 - int(np.floor(np.log10(checked.tolerance))))
    return f"{value + 0.0:.{min(decimals, _DECIMALS)}f}".replace("-", "−")


def _difference(difference: float) -> str:
    least = 10.0**-_DECIMALS
    return f"< {_short(least)}" if abs(difference) < least else _short(difference)


def _short(number: float) -> str:
    """Return one significant digit, as in 2e-4."""
    digit, _, power = f"{number:.0e}".partition("e")
    return f"{digit}e{int(power)}".replace("-", "−")
