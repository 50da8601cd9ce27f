"""The browser: < 6 s to an interactive page, ≤ 100 ms a shown step, ≤ 300 ms a click while playing.

Essay with all panels at the default replicates. A shown step is from the press of Step to the last
panel drawn, in the page's own clock; a click while playing from the press of Pause to the button's
change.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "browser"))
from chromium import Server, Tab, browser

START, STEP, CLICK = 6.0, 100.0, 300.0  # s, ms, ms

SHOWN_STEPS = """
async (count) => {
  const charts = () => [...document.querySelectorAll('.sumabm-chart')];
  const step = [...document.querySelectorAll('button')].find(b => b.innerText.trim() == 'STEP');
  const times = [];
  for (let i = 0; i < count; i++) {
    const before = charts().map(c => +c.dataset.drawn);
    const began = performance.now();
    step.click();
    while (!charts().every((c, k) => +c.dataset.drawn > before[k]))
      await new Promise(requestAnimationFrame);
    times.push(performance.now() - began);
    await new Promise(r => setTimeout(r, 20));
  }
  return times;
}
"""
CLICKS = """
async (count) => {
  const find = (label) =>
    [...document.querySelectorAll('button')].find(b => b.innerText.trim() == label);
  const until = async (label) => { while (!find(label)) await new Promise(requestAnimationFrame); };
  const times = [];
  for (let i = 0; i < count; i++) {
    find('▶').click();
    await until('❚❚');
    await new Promise(r => setTimeout(r, 700 + 37 * i));
    const began = performance.now();
    find('❚❚').click();
    await until('▶');
    times.push(performance.now() - began);
  }
  return times;
}
"""


def start(folder: Path) -> float:
    """Return the seconds from the command to a page whose panels are drawn; Chromium is there."""
    with browser() as opened:
        began = time.perf_counter()
        server = Server(folder)
        tab = Tab(opened, server.url).go("/")
        seconds = time.perf_counter() - began
        tab.close()
        server.stop()
    return seconds


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        starts = [start(folder) for _ in range(3)]
        server = Server(folder)
        with browser() as opened:
            tab = Tab(opened, server.url).go("/?scenario=essay&set=steps%3D2000")
            steps = tab.page.evaluate(SHOWN_STEPS, 100)
            tab.fastest()
            clicks = tab.page.evaluate(CLICKS, 12)
            complaints = tab.complaints
            tab.close()
        server.stop()
    step = statistics.median(steps)
    print(
        f"interactive after {statistics.median(starts):.1f} s, at most {max(starts):.1f} ({START})"
    )
    print(f"a shown step {step:.0f} ms, at most {max(steps):.0f} (median {STEP:.0f})")
    slowest = f"{statistics.median(clicks):.0f} ms, at most {max(clicks):.0f}"
    print(f"a click while playing {slowest} ({CLICK:.0f})")
    print(f"complaints: {complaints or 'none'}")
    met = max(starts) < START and step <= STEP and max(clicks) <= CLICK and not complaints
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
