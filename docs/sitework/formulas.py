"""Formulas as MathML, which browsers show by themselves: no script, no font, no other host.

A formula that `latex2mathml` does not know all of is a warning, and so an error: it would show the
rest as plain letters.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

log = logging.getLogger(__name__)

# What it does not know but by another name.
_SAME = {
    r"\begin{aligned}": r"\begin{split}",
    r"\end{aligned}": r"\end{split}",
    r"\begin{gathered}": r"\begin{matrix}",
    r"\end{gathered}": r"\end{matrix}",
    r"\operatorname*": r"\operatorname",
    r"\arg\max": r"\argmax",
    r"\arg\min": r"\argmin",
    r"\Bigl": r"\left",
    r"\Bigr": r"\right",
    r"\bigl": r"\left",
    r"\bigr": r"\right",
}
_UNKNOWN = re.compile(r">(\\[^<]*|&)<")
_OPERATOR = re.compile(r"<mo>([A-Za-z]+)</mo>")
_SCRIPT = re.compile(r'<mi mathvariant="script">([A-Z])</mi>')
_IRREGULAR = dict(zip("BEFHILMR", "ℬℰℱℋℐℒℳℛ", strict=True))


def _script(found: re.Match[str]) -> str:
    """Return a script letter as its own character: browsers don't know the attribute."""
    letter = found[1]
    return f"<mi>{_IRREGULAR.get(letter, chr(0x1D49C + ord(letter) - ord('A')))}</mi>"


def _mathml(node: nodes.Element, display: str) -> str:
    tex = node.astext()
    for theirs, ours in _SAME.items():
        tex = tex.replace(theirs, ours)
    if r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{split}}{tex}\end{{split}}"
    try:
        made = convert(tex, display=display)
    except Exception as error:  # of many kinds, none documented
        log.warning("formula %r: %r", tex, error, location=node)
        return ""
    if unknown := _UNKNOWN.search(made):
        log.warning("formula %r: cannot show %s", tex, unknown[1], location=node)
    made = _OPERATOR.sub(r'<mi mathvariant="normal">\1</mi>', made)  # no space around a name
    return _SCRIPT.sub(_script, made)


def _visit_inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(_mathml(node, "inline"))
    raise nodes.SkipNode


def _visit_block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(writer, node)
        writer.body.append(f'<span class="eqno">({number})')
        writer.add_permalink_ref(node, "Link to this equation")
        writer.body.append("</span>")
    writer.body.append(_mathml(node, "block") + "</div>")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
