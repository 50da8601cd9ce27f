"""The atlas: effects from paired replicates with intervals that hold, a page, a command."""

import csv
import json
import sys

import numpy as np
import pytest
import xarray as xr

from sumabm import atlas as atlases
from sumabm import cli, load_battery
from sumabm.atlas import OPENINGS, Opening, atlas
from sumabm.atlas.effects import Interval, effects
from sumabm.atlas.page import Row, paragraph
from sumabm.scenario import library

POINTS = [(2.0, 30), (2.0, 100), (2.0, 300)]
POINTS += [(r, 100) for r in (0.5, 0.8, 1.0, 1.1, 1.25, 1.5, 3.0, 4.0, 8.0)]


def battery(harm, replicates=200, seed=3, noise=0.2):
    """Return results with that mean harm and a lognormal spread that replicates share."""
    spread = np.random.default_rng(seed).normal(size=replicates)
    share = np.exp(noise * spread - 0.5 * noise**2)
    ratio, d = (np.array(each, dtype=float) for each in zip(*POINTS, strict=True))
    values = harm(ratio, d)[:, None] * share
    return xr.Dataset(
        {"cumulative_harm": (("point", "replicate"), values)},
        coords={"ratio": ("point", ratio), "d": ("point", d), "seed": ("point", ["0"] * len(d))},
    )


def essay(ratio, d, least=1.0):
    return 0.1 * d * np.maximum(np.sqrt(ratio) - np.sqrt(least), 0.0) ** 2


def test_effects_of_a_known_law():
    plain = battery(essay)
    opened = battery(lambda r, d: 0.5 * d**0.5 * essay(r, d, 1.44) / 10.0)
    found = effects(plain, opened)
    residual = (np.sqrt(2.0) - 1.2) / (np.sqrt(2.0) - 1.0)
    assert found.share.estimate == pytest.approx(0.5 * residual**2, rel=1e-12)
    assert found.share.low == pytest.approx(found.share.high, rel=1e-12)  # pairs have no noise
    assert found.median_share.estimate == pytest.approx(0.5 * residual**2, rel=1e-12)
    before, after, change = found.in_dimensions
    assert (before.estimate, after.estimate) == pytest.approx((1.0, 1.5), rel=1e-12)
    assert change.estimate == pytest.approx(0.5, rel=1e-12)
    before, after, change = found.threshold
    # √harm is a line in √ratio but for the kink at the threshold, which lies between two points
    assert before.estimate == pytest.approx((1.0 + 0.1) ** 2, rel=0.01)
    assert after.estimate == pytest.approx((1.2 + 0.1 / np.sqrt(0.5)) ** 2, rel=0.03)
    assert change.low <= change.estimate <= change.high
    slope = np.log((np.sqrt(8.0) - 1.0) / (2.0 - 1.0)) * 2.0 / np.log(2.0)
    assert found.in_scale[0].estimate == pytest.approx(slope, rel=1e-12)


def test_intervals_hold_the_truth_as_often_as_they_say():
    inside = 0
    for seed in range(60):
        plain = battery(essay, 60, seed)
        opened = battery(essay, 60, seed + 1000)  # not paired: noise in the share
        inside += effects(plain, opened).share.low <= 1.0 <= effects(plain, opened).share.high
    assert 50 <= inside <= 60


def test_what_has_no_meaning_is_missing():
    nothing = effects(battery(essay), battery(lambda r, d: 0.0 * d))
    assert nothing.share.estimate == 0.0
    assert not nothing.in_dimensions[1].known
    assert not nothing.threshold[1].known
    late = effects(battery(essay), battery(lambda r, d: essay(r, d, 4.5)))
    assert late.threshold[1].estimate > 4.0
    assert not late.in_scale[1].known  # what there is between 4 and 8 is its beginning
    always = effects(battery(essay), battery(lambda r, d: d))
    assert not always.threshold[1].known  # harm at every ratio
    with pytest.raises(ValueError, match="do not pair"):
        effects(battery(essay), battery(essay).isel(point=slice(1, None)))


def test_paragraphs_say_what_the_numbers_say():
    row = Row("x", "essay", "X", "", "", True, effects(battery(essay), battery(essay)), ("a", "b"))
    told = paragraph(row)
    assert "total harm is 1 [1, 1] of the plain model's (essay) in the mean" in told
    assert "The threshold stays" in told
    more = effects(battery(essay), battery(lambda r, d: essay(r, d, 1.44)))
    assert "The threshold rises from 1.2" in paragraph(row._replace(effects=more))
    none = effects(battery(essay), battery(lambda r, d: 0.0 * d))
    assert "no threshold is crossed" in paragraph(row._replace(effects=none))
    assert Interval(1.0, 0.5, 2.0).known


@pytest.fixture
def small(monkeypatch):
    """Let the atlas have one opening, and few short runs."""
    load = load_battery

    def loaded(name, overrides):
        return load(name, {**overrides, "scenario.steps": 6})

    monkeypatch.setattr(atlases, "load_battery", loaded)
    monkeypatch.setattr(atlases, "OPENINGS", (Opening("bayesian", "essay", "It looks"),))


def test_it_is_written_and_kept(small, tmp_path, here):
    found = atlas(tmp_path, replicates=3, engine=lambda: here)
    assert list(found.effects) == ["bayesian"]
    text = found.page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "It looks" in text
    assert (tmp_path / "atlas" / "atlas.pdf").read_bytes().startswith(b"%PDF")
    with (tmp_path / "atlas" / "atlas.csv").open(encoding="utf-8") as file:
        [row] = csv.DictReader(file)
    assert float(row["share_estimate"]) == found.effects["bayesian"].share.estimate
    again = atlas(tmp_path, replicates=3, engine=None)  # nothing is run
    assert str(again.effects) == str(found.effects)


def test_the_command(small, tmp_path, monkeypatch, capsys, here):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sumabm.cli.reproduction.engine_of", lambda *where: here)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["sumabm", "atlas", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        return code, *capsys.readouterr()

    code, out, err = call("--only", "nothing")
    assert (code, out) == (2, "")
    assert "--only nothing: allowed: bayesian" in err
    code, out, _ = call("--replicates", "3", "--json")
    assert code == 0
    assert json.loads(out)["openings"]["bayesian"]["share"][0] > 0.0
    code, out, _ = call("--replicates", "3")
    assert code == 0
    assert "runs/atlas/index.html" in out


def test_every_opening_runs_in_the_battery():
    names = {path.stem for path in library().glob("*.toml")}
    for opening in OPENINGS:
        assert {opening.scenario, opening.plain} <= names
        for battery in atlases._batteries(opening, 5):
            assert battery.replicates == 5
            every = battery.design.lay_out(battery.parameters, 0).values
            for row in zip(*every.values(), strict=True):  # each point is a valid scenario
                battery.changed(battery.overrides(dict(zip(every, row, strict=True))))
