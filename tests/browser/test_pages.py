"""The pages in a real browser: what they show, and that nobody complains, server included."""

import io
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from sumabm import runs
from sumabm.recorder import simulate
from sumabm.scenario import library, load_scenario

sys.path.insert(0, str(Path(__file__).resolve().parent))
from chromium import Server, Tab, browser

pytestmark = pytest.mark.xdist_group("browser")  # one server, one Chromium

SCENARIOS = sorted(path.stem for path in library().glob("*.toml"))


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Yield a server with two stored runs and a damaged one."""
    folder = tmp_path_factory.mktemp("pages")
    for overrides in ({}, {"agents.X.power": 3.0}):
        spec = load_scenario("essay", {"steps": 40, **overrides})
        runs.run(spec, range(5), 0, folder / "runs", {})
    damaged = folder / "runs" / "damaged-00000000-s0"
    damaged.mkdir()
    (damaged / "manifest.json").write_text("{")
    server = Server(folder)
    server.runs = sorted(path.name for path in (folder / "runs").glob("essay-*"))
    yield server
    code = server.stop()
    assert server.complaints() == []
    assert code == 130


@pytest.fixture(scope="module")
def opened():
    with browser() as found:
        yield found


@pytest.fixture
def tab(opened, served):
    """Yield a tab that must have had nothing to complain of, nor asked anyone else for anything."""
    found = Tab(opened, served.url)
    yield found
    found.close()
    assert found.complaints == []
    assert found.outside == []


def test_every_scenario_draws_its_pictures(tab):
    tab.go("/")
    for name in SCENARIOS:
        tab.choose(name)
        tab.press("Step")
        tab.until(1)
        inked = tab.inked()
        assert {"harm", "cumulative", "alignment", "power", "world"} <= {
            panel.removeprefix(f"{name}-") for panel in inked
        }
        assert all(share > 0.01 for share in inked.values()), inked
        assert tab.complaints == [], name
        tab.shot(f"scenario-{name}")


def test_hundreds_of_steps_are_played(tab):
    tab.go("/?scenario=essay&set=steps%3D300")
    tab.fastest()
    tab.leave()
    tab.page.keyboard.press("Space")
    tab.until(300)
    assert "step 300 of 300" in tab.page.inner_text(".sumabm-where")
    tab.shot("essay-played")


def test_played_pictures_are_those_that_a_fresh_page_draws(tab, opened, served):
    tab.go("/?scenario=treacherous-turn&replicates=3")
    tab.page.keyboard.press("Space")
    tab.until(60)
    tab.page.keyboard.press("Space")
    tab.page.wait_for_timeout(1000)
    here = f"/?scenario=treacherous-turn&replicates=3&step={tab.steps()}"
    fresh = Tab(opened, served.url).go(here)
    assert fresh.pictures() == tab.pictures()
    fresh.close()


def test_step_pause_reset_and_keys(tab):
    tab.go("/?scenario=essay")
    tab.press("Step")
    tab.until(1)
    tab.page.keyboard.press("ArrowRight")
    tab.until(2)
    tab.leave()
    tab.page.keyboard.press("Space")
    tab.until(6)
    tab.page.keyboard.press("Space")
    tab.page.get_by_role("button", name="▶", exact=True).wait_for()
    tab.page.wait_for_timeout(500)  # the step under way
    stood = tab.steps()
    tab.page.wait_for_timeout(500)
    assert tab.steps() == stood
    tab.press("Reset")
    tab.page.wait_for_function("document.querySelector('.sumabm-where')?.innerText.match(/step 0/)")


def test_the_space_bar_presses_the_button_that_has_the_focus(tab):
    tab.go("/?scenario=essay&step=2")
    save = tab.page.get_by_role("button", name="Save Harm of a step as SVG")
    save.focus()
    with tab.page.expect_download():
        tab.page.keyboard.press("Space")
    assert tab.steps() == 2


def test_a_parameter_is_changed_and_a_bad_one_is_told(tab):
    tab.go("/?scenario=essay&step=5")
    tab.press("Run")  # the parameters of the run, among those of the world and of agents
    field = tab.page.get_by_label("steps", exact=True)
    field.fill("-3")
    field.press("Enter")
    tab.page.get_by_text("greater than or equal to 1").first.wait_for()
    assert "of 200" in tab.page.inner_text(".sumabm-where")  # the last valid run stays
    tab.shot("essay-bad-entry")
    field.fill("7")
    field.press("Enter")
    tab.page.wait_for_function("document.querySelector('.sumabm-where')?.innerText.match(/of 7/)")
    assert "steps" in tab.page.url


def test_a_relation_and_a_count_are_changed_and_travel_in_the_address(tab, opened, served):
    tab.go("/?scenario=consensus&step=2")
    tab.page.locator(".v-expansion-panel-header", has_text="talk").click()
    for label, entry in (("rate", "0.25"), ("count", "12")):
        field = tab.page.get_by_label(label, exact=True)
        field.fill(entry)
        field.press("Enter")
        tab.page.wait_for_function(f"location.search.includes('{label}%3D{entry}')")
    tab.drawn()
    tab.page.locator(".v-expansion-panel-header", has_text="12 AIs").wait_for()
    tab.press("Step")
    tab.until(1)
    tab.page.wait_for_function("location.search.includes('step=1')")
    assert "relations.talk.rate%3D0.25" in tab.page.url
    other = Tab(opened, served.url).go(tab.page.url.removeprefix(tab.url))
    drawn = "[...document.querySelectorAll('[role=img]')].map(e => e.ariaLabel)"
    assert other.page.evaluate(drawn) == tab.page.evaluate(drawn)
    assert other.complaints == []
    other.close()


def test_the_address_restores_the_view(tab, opened, served):
    tab.go("/?scenario=many&set=agents.X1.power%3D3&replicates=4&seed=2&shown=3&ai=X2&step=9")
    assert tab.steps() == 9
    tab.press("Step")
    tab.until(10)
    tab.page.wait_for_function("location.search.includes('step=10')")
    other = Tab(opened, served.url).go(tab.page.url.removeprefix(tab.url))
    assert other.steps() == 10
    assert "replicate 3" in other.page.inner_text(".sumabm-where")
    drawn = "[...document.querySelectorAll('[role=img]')].map(e => e.ariaLabel)"
    assert other.page.evaluate(drawn) == tab.page.evaluate(drawn)
    other.close()


def test_another_scenario_while_one_is_played_begins_at_rest(tab):
    tab.go("/?scenario=essay")
    tab.page.keyboard.press("Space")
    tab.until(5)
    tab.choose("bayesian")
    tab.page.wait_for_timeout(700)
    assert tab.steps() == 0
    tab.leave()
    tab.page.keyboard.press("Space")
    tab.until(5)


def test_two_tabs_never_touch_each_other(tab, opened, served):
    tab.go("/?scenario=essay&step=3")
    other = Tab(opened, served.url).go("/?scenario=bayesian&replicates=3")
    other.page.keyboard.press("Space")
    other.until(20)
    assert tab.steps() == 3
    tab.press("Step")
    tab.until(4)
    other.press("❚❚")
    assert other.complaints == []
    other.close()


def test_what_is_on_screen_can_be_taken(tab):
    tab.go("/?scenario=essay&replicates=3&step=6")

    def take(label):
        with tab.page.expect_download() as waiting:
            tab.press(label)
        return waiting.value

    table = pd.read_csv(take("CSV").path())
    run = simulate("essay", 3, steps=6)
    assert table["harm"].tolist() == pytest.approx(run["harm"].values.ravel().tolist())
    with zipfile.ZipFile(io.BytesIO(take("figures").path().read_bytes())) as archive:
        assert "harm.svg" in archive.namelist()
    file = take("scenario").path()
    assert load_scenario(file).identity() == load_scenario("essay").identity()
    picture = take("Save Harm of a step as SVG")
    assert picture.suggested_filename == "essay-harm.svg"
    assert picture.path().read_text().startswith("<svg")
    assert take("Save Harm of a step as PNG").path().read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_made_is_told_and_the_page_lives_on(opened, tmp_path):
    server = Server(tmp_path)  # its log has the reason
    tab = Tab(opened, server.url).go("/?scenario=essay")
    tab.press("figures")
    tab.page.get_by_text("no step is made yet").wait_for()
    tab.press("Step")
    tab.until(1)
    tab.close()
    server.stop()


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (400, "dark"), (1280, "dark")])
def test_narrow_and_dark(opened, served, width, scheme):
    tab = Tab(opened, served.url, width=width, color_scheme=scheme)
    tab.go("/?scenario=essay&step=30")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    dark = tab.page.evaluate("document.querySelector('.v-application').className.includes('dark')")
    assert dark == (scheme == "dark")
    tab.shot(f"essay-{width}-{scheme}")
    tab.close()
    assert tab.complaints == []


def test_a_stored_run_is_played(tab, served):
    tab.page.goto(tab.url + "/stored")
    tab.page.get_by_text(served.runs[0]).first.wait_for()
    assert tab.page.get_by_text("damaged-00000000-s0").count()
    tab.shot("stored")
    tab.go(f"/stored?run={served.runs[0]}&step=12")
    assert tab.steps() == 12
    tab.page.keyboard.press("ArrowRight")
    tab.until(13)
    tab.page.keyboard.press("ArrowLeft")
    tab.page.wait_for_function(
        "document.querySelector('.sumabm-where')?.innerText.match(/step 12/)"
    )
    tab.page.keyboard.press("Space")
    tab.until(40)
    tab.shot("stored-run")


def test_two_stored_runs_are_compared(tab, served):
    first, second = served.runs
    tab.go(f"/stored?a={first}&b={second}")
    assert len(tab.inked()) >= 8
    assert tab.page.get_by_text("agents.X.power").count()
    tab.shot("compared")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/?scenario=../../etc/passwd", "unknown scenario"),
        ("/?scenario=essay&set=agents.X.power%3D-3", "greater than or equal to 0"),
        ("/?scenario=essay&replicates=99999999", "should be at most"),
        ("/?nonsense=1", "unknown field"),
        ("/?toml=AAAA", "cannot be read"),
        ("/?scenario=essay&set=stop.alignment%3D-0.99", "step 0 of 200"),
        ("/stored?battery=<img src=x onerror='window.pwned=1'>", "cannot be opened"),
        ("/stored?run=../../../etc", "cannot be opened"),
        ("/stored?run=%2Fetc%2Fpasswd", "cannot be opened"),
        ("/stored?run=damaged-00000000-s0", "cannot be opened"),
        ("/stored?battery=..", "cannot be opened"),
        ("/stored?a=..&b=nobody", "cannot be compared"),
        ("/?scenario=reward-model&set=world.file%3D%2Fetc%2Fhosts.csv", "own folder"),
    ],
)
def test_a_hostile_address_is_told_why_and_the_page_lives_on(tab, path, told):
    tab.page.goto(tab.url + path)
    tab.page.get_by_text(told).first.wait_for()
    assert "root:" not in tab.page.content()
    assert tab.page.evaluate("window.pwned") is None
    tab.page.get_by_role("button", name="Live").first.wait_for()
