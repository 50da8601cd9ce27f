"""What bibliography keys stand for: the entries of ``references.bib``, in BibTeX."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from importlib.resources import files

_ENTRY = re.compile(r"^@\w+\{([^,\s]+),$.*?^\}$", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},$", re.MULTILINE)


@functools.cache
def entries() -> dict[str, str]:
    """Return the BibTeX of every entry by its key, in the order of the file."""
    text = files("sumabm").joinpath("references.bib").read_text(encoding="utf-8")
    return {found[1]: found[0] for found in _ENTRY.finditer(text)}


def bibtex(keys: Iterable[str]) -> str:
    """Return the BibTeX of these entries, each once, by key; raises KeyError on an unknown one."""
    return "\n\n".join(entries()[key] for key in sorted(set(keys)))


def software(version: str) -> str:
    """Return the BibTeX of this software at a version."""
    known = re.sub(r"[^\w.+-]", "", version)
    return f"{entries()['sumabm'].removesuffix('}')}  version = {{{known}}},\n}}"


def fields(key: str) -> dict[str, str]:
    """Return an entry's fields by name; raises KeyError on an unknown key.

    >>> fields("taylor-2016")["year"]
    '2016'
    """
    return dict(_FIELD.findall(entries()[key]))


def cited(key: str) -> str:
    """Return how a text names an entry: authors' surnames and year, or the title without them.

    Raises KeyError on an unknown key.

    >>> cited("hu-hong-2013"), cited("kwa-2024"), cited("essay")
    ('Hu & Hong 2013', 'Kwa et al. 2024', 'Statistical Utility Mechanics')
    """
    found = fields(key)
    if "author" not in found:
        return found["title"]
    names = [author.partition(",")[0] for author in found["author"].split(" and ")]
    named = f"{names[0]} et al." if len(names) > 2 else " & ".join(names)
    return f"{named} {found['year']}"
