"""Hostile use of the browser: traversal, corrupt runs, bad uploads, 20 tabs; no crash, no leak.

Paths that lead out are asked for raw, as no browser would send them; the addresses that a browser
does send are tests/browser/test_pages.py's.
"""

from __future__ import annotations

import http.client
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))
from chromium import Server, Tab, browser

SECRET = "the-secret-of-this-measure"
ROOTS = (
    *("/", "/static/public/", "/static/assets/", "/static/nbextensions/", "/_solara/cdn/"),
    *("/stored/", "/jupyter/nbextensions/", "/_solara/download/"),
)
OUT = ("../" * 12, "..%2f" * 12, "%2e%2e/" * 12, "..\\" * 12, "//", "....//" * 12)
UPLOADS = {
    "not TOML": "]][[",
    "a bad value": 'scenario = "essay"\nsteps = -1',
    "a file elsewhere": """
scenario = "x"
steps = 1
world = { kind = "states", file = "/etc/hosts.csv" }
""",
    "too large": "#" * 1_200_000,
    "deep": "a = " + "[" * 5000,
}


def raw(url: str, path: str) -> tuple[int, bytes]:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=20)
    connection.putrequest("GET", path, skip_host=False)
    connection.endheaders()
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def leaks(server: Server, folder: Path) -> list[str]:
    """Return the paths under which a file outside could be had."""
    secret = folder / "secret.txt"
    secret.write_text(SECRET)
    found = []
    for root in ROOTS:
        for out in OUT:
            for target in (str(secret), "/etc/passwd"):
                status, body = raw(server.url, root + out + target.lstrip("/"))
                if SECRET.encode() in body or b"root:x:" in body:
                    found.append(f"{status} {root}{out}{target}")
    return found


def corrupt(runs: Path) -> None:
    """Make folders that are no runs."""
    for name, manifest in {
        "empty-00000000-s0": None,
        "torn-00000000-s0": "{",
        "deep-00000000-s0": "[" * 100_000,
        "wrong-00000000-s0": '{"format": 1, "scenario": 3}',
        "<script>alert(1)</script>": '{"format": 1}',
    }.items():
        (runs / name.replace("/", "_")).mkdir(parents=True)
        if manifest is not None:
            (runs / name.replace("/", "_") / "manifest.json").write_text(manifest)
    (runs / "out-00000000-s0").symlink_to("/etc")


def refused(tab: Tab) -> list[str]:
    """Return the uploads that were taken, or broke the page."""
    failed = []
    for what, text in UPLOADS.items():
        tab.go("/?scenario=essay")
        file = {"name": f"{what}.toml", "mimeType": "text/plain", "buffer": text.encode()}
        tab.page.locator("input[type=file]").first.set_input_files(file)
        try:
            tab.page.get_by_text(f"{what}.toml:").first.wait_for(timeout=10_000)
        except Exception as error:
            failed.append(f"{what}: {str(error)[:80]}")
    return failed


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corrupt(folder / "runs")
        server = Server(folder)
        out = leaks(server, folder)
        with browser() as opened:
            tab = Tab(opened, server.url)
            taken = refused(tab)
            tab.page.goto(f"{server.url}stored")
            tab.page.get_by_text("torn-00000000-s0").first.wait_for()
            tabs = [Tab(opened, server.url) for _ in range(20)]
            for place, other in enumerate(tabs):
                other.go(f"/?scenario=essay&seed={place}&replicates=2")
            for other in tabs:
                other.press("▶")
            for other in tabs:
                other.until(10, most=120)
            complaints = [c for other in (tab, *tabs) for c in (*other.complaints, *other.outside)]
            steps = [other.steps() for other in tabs]
        alive = raw(server.url, "/readyz")[0] == 200
        complaints += server.complaints()
        server.stop()
    print(f"{len(ROOTS) * len(OUT) * 2} paths that lead out; leaked: {out or 'nothing'}")
    print(f"{len(UPLOADS)} bad uploads; not refused: {taken or 'none'}")
    print(f"20 tabs played to step {min(steps)} or beyond; server alive: {alive}")
    print(f"complaints: {complaints or 'none'}")
    return 0 if not out and not taken and alive and not complaints else 1


if __name__ == "__main__":
    sys.exit(main())
