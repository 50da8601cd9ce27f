"""The bibliography's page: what components, docstrings and published numbers cite."""

from __future__ import annotations

from sumabm import bibliography


def pages() -> dict[str, str]:
    """Return the page's Markdown by path."""
    text = ["# Bibliography", "What components, docstrings and published numbers cite, by key."]
    text.extend(_entry(key) for key in sorted(bibliography.entries()))
    return {"bibliography.md": "\n\n".join(text) + "\n"}


def _entry(key: str) -> str:
    found = bibliography.fields(key)
    names = [_turned(name) for name in found.get("author", "").split(" and ") if name]
    who = ", ".join(names) + (f" ({found['year']}). " if "year" in found else "")
    eprint = f"arXiv:{found['eprint']}" if "eprint" in found else ""
    volume = " ".join(
        filter(None, [found.get("journal") or found.get("booktitle"), found.get("volume")])
    )
    pages_ = found.get("pages", "").replace("--", "–")
    where = [", ".join(filter(None, [volume, pages_])), found.get("publisher"), eprint]
    where += [found.get("howpublished"), f"doi:{found['doi']}" if "doi" in found else ""]
    told = ". ".join(filter(None, where))
    code = f"```bibtex\n{bibliography.entries()[key]}\n```"
    return f"## {key}\n\n{who}*{found['title']}*. {told}.\n\n{code}"


def _turned(name: str) -> str:
    last, _, first = name.partition(", ")
    return f"{first} {last}".strip()
