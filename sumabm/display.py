"""How results show in a notebook: short tables in HTML, every text escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup

MOST_ITEMS, MOST_CHARACTERS = 8, 240
"""What is shown of a list, and of a text."""


def html_table(title: str, facts: Mapping[str, object]) -> str:
    """Return a table of facts, a row each, for ``_repr_html_``; those that are None are left out.

    >>> html_table("a <b>", {"power": 2.0, "unknown": None})
    '<table><caption>a &lt;b&gt;</caption><tr><th>power</th><td>2</td></tr></table>'
    """
    row = Markup("<tr><th>{}</th><td>{}</td></tr>")
    rows = [row.format(key, worded(value)) for key, value in facts.items() if value is not None]
    head = Markup("<table><caption>{}</caption>").format(title)
    return str(head + Markup("").join(rows) + Markup("</table>"))


def worded(value: object) -> str:
    """Return a value in few words: a component by its kind, an array by its shape unless small.

    >>> worded({"kind": "budget", "cap": True, "share": None}), worded(np.zeros((2, 9)))
    ('budget (cap yes)', 'array (2, 9)')
    >>> worded([0.1, 1e-9]), worded(range(3, 5)), worded("a" * 300)[-4:]
    ('0.1, 1e-09', '3 to 4', 'aaa…')
    """
    text = _words(value)
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _words(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return f"{value:.6g}"
    if isinstance(value, range):
        return f"{value.start} to {value.stop - 1}" if len(value) > 1 else f"{value.start}"
    if isinstance(value, np.ndarray):
        small = value.size <= MOST_ITEMS
        return _listed(value.ravel().tolist()) if small else f"array {value.shape}"
    if isinstance(value, Mapping):
        return _component(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _listed(value)
    return str(value)


def _listed(values: Sequence[object]) -> str:
    told = [_words(value) for value in values[:MOST_ITEMS]]
    more = len(values) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def _component(table: Mapping[str, object]) -> str:
    """Return a component's table as its kind and its fields."""
    tag = next((name for name in ("kind", "role") if name in table), "")
    fields = [
        f"{name} {_words(value)}"
        for name, value in table.items()
        if name != tag and value is not None
    ]
    told = ", ".join(fields)
    return f"{table[tag]} ({told})" if tag and told else str(table[tag]) if tag else told
