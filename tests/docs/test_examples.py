"""What the pages show is what happens: their code runs, their links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from follow import blocks, is_run

ROOT = Path(__file__).parents[2]
FOLLOW = Path(__file__).parent / "follow.py"
MADE = ROOT / "docs" / "reference" / "made"  # by the build, of what other tests look at
PAGES = [
    *(page for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if page.exists()),
    *(page for page in sorted(ROOT.glob("docs/**/*.md")) if MADE not in page.parents),
]


def name(page):
    return str(page.relative_to(ROOT))


FOLLOWED = [
    page
    for page in PAGES
    if any(map(is_run, blocks(page)))
    and "sitework.following" not in page.read_text(encoding="utf-8")  # the site's build does
]


@pytest.mark.parametrize("page", FOLLOWED, ids=name)
def test_a_page_can_be_followed(page, tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "MPLBACKEND": "agg"}
    command = [sys.executable, str(FOLLOW), str(page), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=env)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-5000:]}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "/made/" not in target and not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target


def test_what_is_not_run_says_why():
    for page in PAGES:
        for block in blocks(page):
            assert block.mark != "not run" or len(block.told) > 5, f"{name(page)}:{block.line}"


def test_an_example_that_fails_is_found(tmp_path):
    page = tmp_path / "page.md"
    for wrong in ("```python\n1 / 0\n```\n", "```sh\nsumabm validate nothing\n```\n"):
        page.write_text(f"# A page\n\n{wrong}", encoding="utf-8")
        with pytest.raises(AssertionError, match=r"ZeroDivision|unknown scenario"):
            test_a_page_can_be_followed(page, tmp_path)
    page.write_text(f"# A page\n\n<!-- not run: it fails -->\n{wrong}", encoding="utf-8")
    test_a_page_can_be_followed(page, tmp_path)
