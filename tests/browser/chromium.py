"""A server of pages and a headless Chromium to look at them with."""

import contextlib
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync", "--disable-quic"),
]
HARMLESS = re.compile(
    r"falling back to old method|Missing v-app|favicon|Download the Vue Devtools|getProgressive"
)
"""What Solara's own front end says at every start."""


def chromium():
    """Return where Chromium is; raises RuntimeError: these tests do not skip."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise RuntimeError("the browser's tests need Chromium: apt-get install chromium")


LAYERS = """chart => {
    const layers = [...chart.querySelectorAll('canvas')];
    const whole = document.createElement('canvas');
    [whole.width, whole.height] = [layers[0].width, layers[0].height];
    for (const layer of layers) whole.getContext('2d').drawImage(layer, 0, 0);
    return whole;
}"""
"""ECharts draws on more than one canvas; this is all of them on one."""


class Server:
    """``sumabm browse`` as a process: its URL, and what it wrote."""

    def __init__(self, folder, *arguments):
        self.log = folder / "server.log"
        command = [sys.executable, "-m", "sumabm", "browse", "--no-open", "--port", "0"]
        began = time.perf_counter()
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "--out", str(folder / "runs"), *arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=ROOT,
            )
        line = self.process.stdout.readline()
        self.seconds = time.perf_counter() - began
        found = re.search(r"http://\S+", line)
        if not found:
            raise RuntimeError(f"no server: {line}{self.log.read_text()}")
        self.url = found[0]

    def complaints(self):
        """Return what the server wrote that is an error."""
        text = self.log.read_text()
        return [line for line in text.splitlines() if re.search(r"error|traceback", line, re.I)]

    def resident(self):
        """Return the memory that the server holds, bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def stop(self):
        """End it as Ctrl-C does; returns its exit code."""
        self.process.send_signal(2)
        code = self.process.wait(20)
        self.process.stdout.close()
        return code


@contextlib.contextmanager
def browser():
    """Yield a headless Chromium."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield opened
        opened.close()


class Tab:
    """A page with what it complained of, and what it asked of other machines."""

    def __init__(self, opened, url, width=1280, height=900, **options):
        self.context = opened.new_context(viewport={"width": width, "height": height}, **options)
        self.page = self.context.new_page()
        self.url = url.rstrip("/")
        self.complaints, self.outside = [], []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("request", self._asked)

    def _heard(self, message):
        if message.type == "error" and not HARMLESS.search(message.text):
            self.complaints.append(message.text)

    def _asked(self, request):
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.outside.append(request.url)

    def go(self, path="/"):
        """Open an address of the server and wait until its panels are drawn."""
        self.page.goto(self.url + path)
        self.drawn()
        return self

    def drawn(self, most=20_000):
        """Wait until every panel has drawn something."""
        self.page.wait_for_selector(".sumabm-chart", timeout=most)
        self.page.wait_for_function(
            "[...document.querySelectorAll('.sumabm-chart')].every(c => +c.dataset.drawn > 0)",
            timeout=most,
        )

    def steps(self):
        """Return the number of steps that the page says it has done."""
        return int(re.search(r"step (\d+)", self.page.inner_text(".sumabm-where"))[1])

    def until(self, step, most=60.0):
        """Wait until the page is at that step or beyond."""
        end = time.monotonic() + most
        while self.steps() < step:
            assert time.monotonic() < end, f"at step {self.steps()} and no further"
            self.page.wait_for_timeout(20)

    def choose(self, name):
        """Choose a scenario, and wait until its panels are drawn."""
        field = self.page.locator(".v-select").first
        if name not in field.inner_text().split():
            field.click()
            self._option(name).click()
        self.page.wait_for_selector(f".sumabm-chart[data-chart='{name}-harm']")
        self.drawn()

    def _option(self, name, most=30.0):
        """Return an entry of the open menu, which has the further ones only once it is scrolled."""
        option = self.page.get_by_role("option", name=name, exact=True)
        end = time.monotonic() + most
        while not option.count():
            assert time.monotonic() < end, f"the menu has no {name}"
            self.page.evaluate(
                """for (const menu of document.querySelectorAll('.menuable__content__active'))
                       menu.scrollTop = menu.scrollTop ? 0 : menu.scrollHeight;"""
            )
            self.page.wait_for_timeout(50)
        return option

    def press(self, label):
        """Press a button by its name."""
        self.page.get_by_role("button", name=label, exact=True).click()

    def leave(self):
        """Take the focus off whatever has it, so that keys are the page's."""
        self.page.evaluate("document.activeElement.blur()")

    def fastest(self):
        """Move Mesa's slider of the interval to its least."""
        slider = self.page.get_by_role("slider").first
        slider.focus()
        slider.press("Home")

    def inked(self):
        """Return by panel the share of its picture that is not ground."""
        return self.page.evaluate(
            f"""() => Object.fromEntries([...document.querySelectorAll('.sumabm-chart')].map(c => {{
                const whole = ({LAYERS})(c);
                const size = [whole.width, whole.height];
                const data = whole.getContext('2d').getImageData(0, 0, ...size).data;
                let inked = 0;
                for (let i = 3; i < data.length; i += 4) inked += data[i] > 0;
                return [c.dataset.chart, inked / (data.length / 4)];
            }}))"""
        )

    def pictures(self):
        """Return what is drawn on every panel, as the page would save it."""
        self.page.mouse.move(1, 1)  # away from what lights up
        return self.page.evaluate(
            f"[...document.querySelectorAll('.sumabm-chart')].map(c => ({LAYERS})(c).toDataURL())"
        )

    def shot(self, name):
        """Keep a screenshot of the whole page."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def close(self):
        """Close the tab."""
        self.context.close()
