"""Flips: planted ones are found, and those of the shipped cruxes are where closed forms say."""

import json

import numpy as np
import pytest
from scipy.optimize import brentq

from sumabm import load_battery, sphere
from sumabm.analysis import flips
from sumabm.analysis.flips import _Axis
from sumabm.battery.results import open_battery
from sumabm.battery.store import Store
from sumabm.battery.work import work
from sumabm.power.logistic import Logistic

X = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
NOISE = np.random.default_rng(3).normal(size=201)


@pytest.fixture
def made(battery_data):
    def make(values, parameters=None, scale="log", **more):
        """Return a battery of outcomes ``(point, replicate)`` over x."""
        data = battery_data({"harm": values}, parameters or {"x": X}, **more)
        table = json.loads(data.attrs["battery"]) | {"uncertainties": {"x": {"scale": scale}}}
        return data.assign_attrs(battery=json.dumps(table))

    return make


def test_a_planted_flip_is_found_on_the_parameters_own_scale(made):
    rising = np.log2(X)[:, None] + NOISE
    found = flips(made(rising), "harm", "x", 2.3).squeeze()
    expected = 2.0 ** (2.3 - np.median(NOISE))
    assert float(found["flip"]) == pytest.approx(expected, rel=1e-6)
    linear = flips(made(rising, scale="linear"), "harm", "x", 2.3).squeeze()
    assert abs(float(linear["flip"]) / expected - 1.0) > 1e-3
    assert found["flip_low"] < expected < found["flip_high"]
    assert (int(found["crossings"]), bool(found["worse_after"])) == (1, True)
    np.testing.assert_allclose(found["median"], np.median(rising, axis=1))
    np.testing.assert_allclose(found["share"], (rising > 2.3).mean(axis=1))
    assert (found["share_low"] < found["share"] + 1e-9).all()
    assert str(found["told"].values).startswith(f"flips at {expected:.3g} [")


def test_the_interval_is_that_of_a_median(made):
    found = flips(made(np.log2(X)[:, None] + NOISE), "harm", "x", 2.0).squeeze()
    width = float(np.log2(found["flip_high"] / found["flip_low"]))
    expected = 2.0 * 1.96 * np.sqrt(np.pi / 2.0 / NOISE.size)  # of a normal sample's median
    assert width == pytest.approx(expected, rel=0.35)
    assert abs(width / expected - 1.0 / 1.2533) > 0.1  # a mean's is narrower


def test_it_says_where_nothing_flips_and_which_side_is_worse(made):
    data = made(np.log2(X)[:, None] + NOISE)
    told = {
        (limit, worse): str(flips(data, "harm", "x", limit, worse=worse)["told"].values[0])
        for limit in (-9.0, 9.0)
        for worse in ("above", "below")
    }
    assert told[9.0, "above"] == "never above"
    assert told[-9.0, "above"] == "always above"
    assert told[9.0, "below"] == "always below"
    assert told[-9.0, "below"] == "never below"
    below = flips(data, "harm", "x", 2.0, worse="below").squeeze()
    above = flips(data, "harm", "x", 2.0).squeeze()
    assert float(below["flip"]) == pytest.approx(float(above["flip"]))
    assert not bool(below["worse_after"])
    assert np.isnan(flips(data, "harm", "x", 9.0)["flip"]).all()


def test_several_crossings_are_told(made):
    bump = np.array([0.0, 2.0, 0.0, 2.0, 0.0])[:, None] + 0.1 * NOISE
    found = flips(made(bump), "harm", "x", 1.0).squeeze()
    assert int(found["crossings"]) == 4
    assert 1.0 < float(found["flip"]) < 2.0
    assert str(found["told"].values).endswith(", the first of 4")


def test_an_interval_beyond_the_values_ends_at_the_last(made):
    noise = 5.0 * (NOISE - np.median(NOISE))
    found = flips(made(np.log2(X)[:, None] + noise), "harm", "x", 0.1).squeeze()
    assert float(found["flip_low"]) == X[0]


def test_curves_are_of_one_parameter_and_all_else_is_pooled(made):
    x, shift, other = (a.ravel() for a in np.meshgrid(X, [0.0, 1.0], [-0.5, 0.5], indexing="ij"))
    values = (np.log2(x) - shift + other)[:, None] + 0.2 * NOISE
    parameters = {"x": x, "shift": shift, "other": other}
    found = flips(made(values, parameters), "harm", "x", 2.0, by="shift")
    assert found["curve"].values.tolist() == ["0.0", "1.0"]
    assert float(found["flip"][1] / found["flip"][0]) == pytest.approx(2.0, rel=1e-6)
    whole = np.concatenate([values[(x == 4.0) & (shift == 0.0)]], axis=None)
    assert float(found["median"][0, 2]) == pytest.approx(np.median(whole))


def test_unpaired_seeds_are_drawn_apart(made):
    values = np.log2(X)[:, None] + np.random.default_rng(5).normal(size=(5, 201))
    widths = []
    for paired in (True, False):
        found = flips(made(values, paired=paired), "harm", "x", 2.2).squeeze()
        widths.append(float(found["flip_high"] - found["flip_low"]))
    assert widths[0] != widths[1]
    assert widths[0] == pytest.approx(widths[1], rel=0.3)  # independent noise, either way


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"over": "y"}, "over: no parameter 'y'; allowed: x"),
        ({"by": "y"}, "by: no parameter 'y'"),
        ({"outcome": "nothing"}, "no variable 'nothing'"),
    ],
)
def test_what_is_wrong_is_said(made, change, said):
    data = made(np.log2(X)[:, None] + NOISE)
    with pytest.raises(ValueError, match=said):
        flips(data, **{"outcome": "harm", "over": "x", "limit": 1.0, **change})


def test_incomplete_or_one_sided_batteries_are_refused(made):
    values = np.log2(X)[:, None] + NOISE
    with pytest.raises(ValueError, match="1 of 5 points are incomplete"):
        flips(made(values, complete=np.arange(5) != 3), "harm", "x", 1.0)
    with pytest.raises(ValueError, match="no full grid"):
        flips(made(values, {"x": X, "z": np.array([0, 0, 0, 0, 1])}), "harm", "x", 1.0)
    with pytest.raises(ValueError, match="two or more numbers"):
        flips(made(values[:1], {"x": X[:1]}), "harm", "x", 1.0)
    x, z = (a.ravel() for a in np.meshgrid([1.0, 2.0], np.arange(7)))
    data = made(np.zeros((14, 3)), {"x": x, "z": z})
    with pytest.raises(ValueError, match="by: z has 7 values; allowed: at most 6"):
        flips(data, "harm", "x", 1.0, by="z")


# --- the shipped cruxes ------------------------------------------------------------------------

METHOD, DIMENSIONS = 'levers."agents.W.method"', 'uncertainties."world.dimensions"'
WIDTH = 2.0 * 1.96  # standard errors in an interval


@pytest.fixture(scope="module")
def crux(tmp_path_factory):
    """Return what runs a small version of a shipped crux and finds its flips, by curve."""

    def run(name, values, **changes):
        battery = load_battery(
            f"crux-{name}", {"replicates": 200, "chunk.replicates": 200, **changes}
        )
        store = Store.create(battery, tmp_path_factory.mktemp(name), {"from": "a test"})
        store.ready()
        for chunk in store.chunks():
            work(str(store.path), 60.0, chunk)
        asked = battery.flip
        found = flips(open_battery(store), **asked.model_dump(exclude={"label"}))
        return {value: found.sel(curve=value) for value in values}, asked.limit

    return run


def median_harm(powers, d, efficiency, undone=lambda power: np.sqrt(power) - 1.0):
    """Return what the median replicate's harm comes to: its cosine is its law's median."""
    spent = efficiency * np.minimum(powers, 1.0)
    kappa = sphere.concentration(d, nats=np.cumsum(spent) - spent)
    phi = np.asarray(sphere.divergence_quantile(d, kappa, np.full(len(powers), 0.5)))
    return float(((phi * np.maximum(undone(powers), 0.0)) ** 2).sum())


def told_apart(found, exact, wrong):
    """Check that a flip is within 4 standard errors of the exact one, and not of a wrong one."""
    error = float(found["flip_high"] - found["flip_low"]) / WIDTH
    flip = float(found["flip"])
    assert abs(flip - exact) <= 4.0 * error, (flip, exact, error)
    assert abs(flip - wrong) > 4.0 * error, (flip, wrong, error)


def capped(cap):
    power = Logistic(initial=0.25, capacity=cap, rate=0.1)
    return np.array([power.nats(step) for step in range(200)])


def root(harm, limit, low, high):
    return brentq(lambda value: harm(value) - limit, low, high)


def test_a_cap_flips_where_the_harm_of_the_median_ai_is_the_limit(crux):
    path = 'uncertainties."agents.X.power.capacity"'
    grid = {f"{path}.low": 1.0, f"{path}.high": 2.0, f"{path}.levels": 7}
    found, limit = crux("coordination", ("none",), **grid, **{METHOD: ["none"]})

    def of_powers(power):  # the powers' difference in place of their roots'
        return np.sqrt(np.maximum(power - 1.0, 0.0))

    exact = root(lambda cap: median_harm(capped(cap), 100, 0.0), limit, 1.01, 2.0)
    wrong = root(lambda cap: median_harm(capped(cap), 100, 0.0, of_powers), limit, 1.001, 2.0)
    told_apart(found["none"], exact, wrong)


def test_efficiency_flips_where_the_closed_form_says(crux):
    path = 'levers."agents.W.method.efficiency"'
    grid = {f"{path}.low": 0.05, f"{path}.high": 0.3, f"{path}.levels": 5}
    found, limit = crux("tractability", ("10",), **grid, **{DIMENSIONS: [10]})
    powers = np.full(200, 4.0)
    exact = root(lambda e: median_harm(powers, 10, e), limit, 0.01, 1.0)
    wrong = root(lambda e: median_harm(powers, 10, e**2), limit, 0.01, 1.0)
    told_apart(found["10"], exact, wrong)


@pytest.mark.parametrize("log", [False, True])
def test_a_median_at_the_limit_itself_is_a_crossing_there(log):
    """Harm of exactly 0, the limit 0: at either end, and between; no wrong sign by rounding."""
    x = np.array([0.1, 0.2, 0.4, 1.0])
    axis = _Axis(x, "log" if log else "linear", 0.0, "above")
    for median, where in (
        ([3.0, 2.0, 1.0, 0.0], 1.0),
        ([0.0, 1.0, 2.0, 3.0], 0.1),
        ([2.0, 0.0, 0.0, 0.0], 0.2),
    ):
        assert axis.crossings(np.array(median)) == [pytest.approx(where, rel=1e-12)]
    rng = np.random.default_rng(0)
    for _ in range(500):
        median = np.round(rng.exponential(size=4), 1) * rng.integers(0, 2, 4)
        found = axis.crossings(median)
        assert all(x[0] * (1 - 1e-12) <= place <= x[-1] * (1 + 1e-12) for place in found)
