"""The browser: 2000 steps played at the fastest, no error, the server's memory flat after 200.

Growth from step 200 to the end is at most 30 MB.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))
from chromium import Server, Tab, browser

STEPS, FIRST, GROWTH = 2000, 200, 30e6


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name))
        with browser() as opened:
            tab = Tab(opened, server.url).go(f"/?scenario=essay&set=steps%3D{STEPS}")
            tab.fastest()
            tab.press("▶")
            tab.until(FIRST, most=300)
            began, before = time.perf_counter(), server.resident()
            tab.until(STEPS, most=570)
            seconds = time.perf_counter() - began
            grown = server.resident() - before
            complaints = [*tab.complaints, *server.complaints()]
            tab.close()
        server.stop()
    rate = 1000 * seconds / (STEPS - FIRST)
    print(f"{STEPS} steps played, {rate:.0f} ms each; the server grew by {grown / 1e6:.1f} MB")
    print(f"complaints: {complaints or 'none'}")
    return 0 if grown < GROWTH and not complaints else 1


if __name__ == "__main__":
    sys.exit(main())
