"""The browser in a fresh virtual environment without a network: the page and its plots appear.

The wheel is built and installed with the extra ``browser``; then server and Chromium run in a
network namespace of their own that has a loopback interface and nothing else (Linux, as root).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INSIDE = """
import pathlib, sys
sys.path.insert(0, sys.argv[1])
import chromium
chromium.ROOT = pathlib.Path(sys.argv[2])  # outside the checkout
chromium.sys.executable = sys.argv[3]
server = chromium.Server(pathlib.Path(sys.argv[2]))
with chromium.browser() as opened:
    tab = chromium.Tab(opened, server.url).go("/?scenario=essay&step=5")
    inked = tab.inked()
    print("complaints:", [*tab.complaints, *tab.outside, *server.complaints()] or "none")
    met = len(inked) >= 6 and min(inked.values()) > 0.01 and not tab.complaints + tab.outside
    print(len(inked), "plots drawn, the least inked", round(100 * min(inked.values()), 1), "%")
server.stop()
sys.exit(0 if met else 1)
"""
ALONE = 'ip link set lo up 2>/dev/null || ifconfig lo up; exec "$@"'


def run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = str(folder / "venv" / "bin" / "python")
        run(sys.executable, "-m", "venv", str(folder / "venv"))
        run(python, "-m", "pip", "install", "--quiet", f"{ROOT}[browser]")
        command = [sys.executable, "-c", INSIDE, str(ROOT / "tests" / "browser"), name, python]
        alone = ["unshare", "--net", "sh", "-c", ALONE, "sh", *command]
        reached = subprocess.run(
            [
                "unshare",
                "--net",
                python,
                "-c",
                "import socket; socket.create_connection(('1.1.1.1', 53), 2)",
            ],
            capture_output=True,
        )
        print("network:", "there" if reached.returncode == 0 else "none")
        done = subprocess.run(alone, cwd=name)
    return 0 if done.returncode == 0 and reached.returncode != 0 else 1


if __name__ == "__main__":
    sys.exit(main())
