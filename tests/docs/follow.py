"""Follows a page of the documentation as its reader would: ``python follow.py PAGE FOLDER``.

In the page's order and in one folder: every ``python`` block, in one namespace; every line of a
``sh`` block that begins with ``sumabm``; and a block after ``<!-- file: NAME -->`` is written to
that file. A block after ``<!-- not run: REASON -->`` is left out.
"""

import os
import re
import subprocess
import sys
import textwrap
import types
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(
    r"^(?: *<!-- (?P<mark>not run|file): (?P<told>[^\n]+?) -->\n\s*)?"
    r"(?P<indent> *)```(?P<language>[^\n`]*)\n(?P<code>.*?)^(?P=indent)```\s*$",
    re.DOTALL | re.MULTILINE,
)


class Block(NamedTuple):
    """A block of code: its language, its text, the line it begins on, and what is said of it."""

    language: str
    code: str
    line: int
    mark: str
    told: str


def blocks(page):
    """Return a page's blocks of code."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            found["language"],
            textwrap.dedent(found["code"]),
            text.count("\n", 0, found.start("code")) + 1,
            found["mark"] or "",
            found["told"] or "",
        )
        for found in _BLOCK.finditer(text)
    ]


def commands(block):
    """Return the lines of a ``sh`` block that run sumabm; those that go on are one."""
    lines = block.code.replace("\\\n", " ").splitlines()
    return [line for line in lines if re.match(r"sumabm\b", line)]


def is_run(block):
    """Return whether anything of a block is done by `follow`."""
    if block.mark:
        return block.mark == "file"
    return block.language == "python" or (block.language == "sh" and bool(commands(block)))


def follow(page):
    """Do what a page says, in the working folder."""
    reader = types.ModuleType("reader")
    sys.modules["reader"] = reader  # where classes find the names in their annotations
    for block in blocks(page):
        if not is_run(block):
            continue
        if block.mark == "file":
            Path(block.told).write_text(block.code, encoding="utf-8")
        elif block.language == "python":
            code = "\n" * (block.line - 1) + block.code
            exec(compile(code, page.name, "exec"), reader.__dict__)
        else:
            for command in commands(block):
                print(f"$ {command}", flush=True)  # noqa: T201
                subprocess.run(["bash", "-c", command], check=True)


if __name__ == "__main__":
    where = Path(sys.argv[1]).resolve()
    os.chdir(sys.argv[2])
    follow(where)
