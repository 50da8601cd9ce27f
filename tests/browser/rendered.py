"""Pages without a browser: what is on them, as soon as it is."""

import time


def shown(page, kind, count=None):
    """Return the page's widgets of a kind, once there are as many, or any at all."""
    for _ in range(1000):
        found = page.find(kind).widgets
        if len(found) == count or (count is None and found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"{kind}: {len(page.find(kind).widgets)}")


def told(box, words):
    """Return all text on a page once it has these words."""
    for _ in range(1000):
        text = " ".join(_texts(box))
        if words in text:
            return text
        time.sleep(0.02)
    raise AssertionError(text)


def _texts(widget):
    for child in getattr(widget, "children", ()):
        if isinstance(child, str):
            yield child
        else:
            yield from _texts(child)


def settled(widget):
    """Wait for a list to have read its folder."""
    for _ in range(1000):
        if not widget.busy:
            return
        time.sleep(0.02)
    raise AssertionError("still busy")
