"""The numbers of a report against independent computations."""

import itertools
import json
import math
import re
import statistics

import numpy as np
import pytest

from sumabm.battery.results import open_battery
from sumabm.report import exhibits, figures, sections
from sumabm.report.effects import Results, average, effects, groups, levels, map_axes, spread
from sumabm.report.material import gather
from sumabm.report.text import labels, number, plus_minus, ranges, shown


def test_headline_numbers_are_means_over_points_of_means_over_replicates(grid):
    part = sections.headline(gather(grid))[0]
    data = open_battery(grid)
    ys = data["cumulative_harm"].values
    means = [statistics.fmean(row) for row in ys.tolist()]
    error = statistics.stdev(means) / math.sqrt(len(means))
    assert part["outcome"] == "cumulative_harm (nats)"
    assert part["mean"] == plus_minus(statistics.fmean(means), error)
    most = means.index(max(means))
    own = statistics.stdev(ys[most].tolist()) / math.sqrt(ys.shape[1])
    told = plus_minus(means[most], own)
    assert part["most"].startswith(f"{told} at point {most} (")
    assert f"agents.X.power = {shown(float(data['agents.X.power'][most]))}" in part["most"]

    high = [m for m, power in zip(means, data["agents.X.power"].values, strict=True) if power > 3]
    low = [m for m, power in zip(means, data["agents.X.power"].values, strict=True) if power < 1]
    assert len(high) == len(low) == 4
    error = math.sqrt(statistics.variance(high) / 4 + statistics.variance(low) / 4)
    row = next(row for row in part["rows"] if row["parameter"] == "agents.X.power")
    assert row["change"] == plus_minus(statistics.fmean(high) - statistics.fmean(low), error)
    assert (row["role"], row["low"], row["high"]) == ("uncertainty", "0.5", "4")


def test_effects_find_a_planted_slope_and_nothing_where_nothing_is():
    rng = np.random.default_rng(1)
    x, z = rng.random((2, 4000))
    label = np.array(["a", "b", "c"])[rng.integers(0, 3, 4000)]
    y = 3.0 * x + (label == "b") + rng.normal(size=4000)
    y[:100] = np.nan
    found = effects({"z": z, "label": label, "x": x, "constant": np.ones(4000)}, y)
    assert [effect.parameter for effect in found] == ["x", "label", "z"]
    by_name = {effect.parameter: effect for effect in found}
    assert by_name["x"].change == pytest.approx(2.0, abs=4 * by_name["x"].error)
    assert abs(by_name["z"].change) < 4 * by_name["z"].error
    assert by_name["label"].high == "b"
    assert by_name["label"].change == pytest.approx(1.0, abs=0.2)
    assert by_name["x"].error < 0.1


def test_the_baseline_of_one_at_a_time_weighs_no_more_than_other_values():
    x = np.array([0.5] * 20 + [0.0, 0.25, 0.75, 1.0])
    (effect,) = effects({"x": x}, 2.0 * x)
    assert effect.change == pytest.approx(2.0 * (0.875 - 0.125))
    assert (effect.low, effect.high) == ("0 to 0.25", "0.75 to 1")


def test_groups_are_all_points_once():
    values = np.array([1, 5, 2, 9, 9, 3, 4, 8])
    for most in (2, 10):
        assert np.array_equal(sum(mask.astype(int) for _, mask in groups(values, most)), [1] * 8)
    assert len(groups(values, 2)) == 3
    assert [name for name, _ in groups(np.array(["b", "a", "b"]))] == ["b", "a"]


@pytest.mark.parametrize("size", [11, 13, 99, 101])
def test_bins_are_even_and_none_is_empty(size):
    values = np.random.default_rng(size).permutation(np.linspace(0.1, 0.7, size))
    parts = [part for _, part in figures._bins(values)]
    assert len(parts) == 10
    assert np.array_equal(np.sum(parts, axis=0), np.ones(size))
    assert all(abs(part.sum() - size / 10) < 1 for part in parts)
    assert all(values[a].max() < values[b].min() for a, b in itertools.pairwise(parts))


def test_labels_that_would_overlap_are_thinned():
    places, texts = figures._ticks([f"method {i}" for i in range(45)], 0.5, 20)
    assert places.tolist() == [0.5 + 3 * i for i in range(15)]
    assert texts[:2] == ["method 0", "method 3"]


def test_numbers_go_along_and_labels_up():
    points = {"n": np.arange(3), "m": np.arange(9), "a": np.array(["x"]), "b": np.array(["y", "z"])}
    for pair, placed in {"nm": "mn", "an": "na", "ab": "ab", "ba": "ab"}.items():
        assert figures._placed(points, *pair) == tuple(placed)


def test_maps_are_of_grids_only():
    a, b, c = (axis.ravel() for axis in np.meshgrid([1, 2, 3], [1, 2], ["x", "y"], indexing="ij"))
    points = {"a": a, "b": b, "c": c}
    assert map_axes(points, ["c", "a", "b"]) == ["c", "a", "b"]
    assert map_axes({name: values[:-1] for name, values in points.items()}, ["a", "b", "c"]) == []
    crossed = {"a": np.tile([1, 2, 3, 4], 3), "u": np.tile([0.1, 0.4, 0.2, 0.3], 3)}
    crossed["c"] = np.repeat(["x", "y", "z"], 4)  # a and u are one sample: neither is a grid's
    assert map_axes(crossed, ["a", "c", "u"]) == []
    sampled = {"u": np.tile([0.1, 0.4, 0.2], 4), "a": np.repeat([1, 1, 2, 2], 3)}
    sampled["b"] = np.repeat([1, 2, 1, 2], 3)
    assert map_axes(sampled, ["a", "u", "b"]) == ["a", "u", "b"]
    sampled["v"] = sampled["u"] ** 2
    assert map_axes(sampled, ["a", "u", "b", "v"]) == ["a", "b"]


def test_cells_are_averages_over_what_else_varies(grid):
    material = gather(grid)
    results = material.results
    cells = figures._cells(
        results, "alignment.X", "agents.X.power", "agents.W.method", np.ones(12, dtype=bool)
    )
    data = open_battery(grid)
    for i, method in enumerate(("none", "budget")):
        for j, power in enumerate((0.5, 2.25, 4.0)):
            here = (data["agents.W.method"] == method) & (data["agents.X.power"] == power)
            values = data["alignment"].sel(agent="X").values[here.values]
            assert values.shape == (2, 4)
            assert cells[i, j] == pytest.approx(values.mean(), rel=1e-12)


def test_colours_are_logarithms_over_two_decades():
    norm, least = figures._norm(np.array([0.0, 0.001, 1.0, np.nan]))
    assert (norm.vmin, norm.vmax, least) == (0.001, 1.0, 0.001)
    assert figures._norm(np.array([1e-30, 1.0]))[1] == pytest.approx(1e-6)
    for linear in ([0.02, 1.0], [-1.0, 0.001, 1.0], [0.0, 0.0]):
        norm, least = figures._norm(np.array(linear))
        assert (norm.vmin, norm.vmax, least) == (linear[0], linear[-1], -np.inf)


def test_trajectories_are_those_of_the_strongest_lever(grid):
    material = gather(grid)
    found = exhibits.trajectories(material)
    data = open_battery(grid, trajectories=True)
    harm = data["cumulative_harm"]
    assert harm.sizes["step"] == 3
    for method in ("none", "budget"):
        mean = harm.values[data["agents.W.method"].values == method].mean(axis=(0, 1))
        told = f"{method}: {number(mean[0])} to {number(mean[-1])}"
        assert told in found["figures"][0]["alt"]
    assert "By agents.W.method" in found["figures"][0]["caption"]


def test_curves_beyond_six_are_said_to_be_left_out(stored):
    methods = [{"kind": "bayesian", "looks": looks} for looks in range(1, 9)]
    store = stored(replicates=2, levers={"agents.W.method": methods}, keep={"steps": "all"})
    caption = exhibits.trajectories(gather(store))["figures"][0]["caption"]
    assert caption.endswith("The first 6 of 8 values.")


def test_averages_and_their_errors_leave_out_what_is_missing():
    values = np.array([[1.0, np.nan, np.nan], [2.0, 5.0, np.nan], [6.0, np.nan, np.nan]])
    assert np.array_equal(average(values), [3.0, 5.0, np.nan], equal_nan=True)
    expected = statistics.stdev([1.0, 2.0, 6.0]) / math.sqrt(3)
    assert spread(values)[0] == pytest.approx(expected)
    assert np.isnan(spread(values)[1:]).all()


def test_sensitivity_is_what_the_analysis_says(stored):
    from sumabm.analysis import sobol

    wide = {"kind": "continuous", "low": 0.5, "high": 4.0}
    store = stored(
        uncertainties={"agents.X.power": wide, "agents.Y.power": wide},
        design={"kind": "saltelli", "points": 8},
    )
    part = exhibits.sensitivity(gather(store))["parts"][0]
    indices = sobol(open_battery(store), "cumulative_harm").sortby("total_order", ascending=False)
    assert [row[0] for row in part["rows"]] == indices["parameter"].values.tolist()
    expected = [
        plus_minus(*pair)
        for pair in zip(
            indices["total_order"].values, indices["total_order_margin"].values, strict=True
        )
    ]
    assert [row[2] for row in part["rows"]] == expected
    assert f"{number(100 * float(indices['noise']), 2)} %" in part["note"]


def test_an_outcome_that_is_missing_at_points_has_no_indices_but_the_reason(grid, monkeypatch):
    def refuse(data, outcome):
        raise ValueError(f"outcome: '{outcome}' is missing at 2 of 12 points")

    monkeypatch.setattr(exhibits, "morris", refuse)
    material = gather(grid)
    monkeypatch.setattr(type(material.store.battery.design), "kind", "morris")
    parts = exhibits.sensitivity(material)["parts"]
    assert parts[1]["reason"] == "outcome: 'harm' is missing at 2 of 12 points"


def test_trajectories_that_fill_the_memory_are_left_out_and_said_so(grid, monkeypatch):
    material = gather(grid)
    monkeypatch.setattr(exhibits, "_MOST_VALUES", 12 * 4 * 4 * 3)
    assert exhibits.trajectories(material)["reason"] == ""
    monkeypatch.setattr(exhibits, "_MOST_VALUES", 12 * 4 * 4 * 3 - 1)
    assert "too many" in exhibits.trajectories(material)["reason"]


def test_progress_counts_chunks_and_runs(partial):
    found = sections.progress(partial)
    facts = ("points", "chunks", "done", "failed", "left", "runs", "runs_done", "incomplete")
    assert [found[name] for name in facts] == [12, 24, 21, 2, 1, 48, 42, 2]
    assert [row["replicates"] for row in found["failures"]] == ["0–1", "2–3"]
    assert found["failures"][0]["error"] == "ValueError: <script>alert('x')</script>"


def test_failures_beyond_fifty_are_counted(stored):
    store = stored(lambda chunk: False, replicates=120, uncertainties={"agents.X.power": [1.0]})
    for chunk in store.chunks():
        record = {"error": "E", "traceback": "", "crashes": 1, "when": ""}
        store.note_failure(chunk, record)
    found = sections.progress(store)
    assert (found["failed"], len(found["failures"]), found["more_failures"]) == (60, 50, 10)


def test_the_question_is_told_in_words(grid):
    found = sections.asked(grid)
    assert found["sentence"] == (
        "12 points of 3 parameters (design: grid), 4 replicates at each: 48 runs of the scenario "
        "essay; all points share their seeds. Kept at every 2 steps and at the end: all variables."
    )
    assert ("agents.X.power", "uncertainty", "continuous", "0.5 to 4, levels 3") in found[
        "parameters"
    ]
    varied = [path for path, _, is_varied in found["fields"] if is_varied]
    assert "world.dimensions" in varied
    assert "agents.X.power.value" in varied
    assert "agents.Y.power.value" not in varied


def test_outcomes_are_the_usual_ones_or_the_chosen(grid, stored):
    names = list(gather(grid).results.mean)
    assert names == ["cumulative_harm", "harm", "alignment.X", "information.X"]
    store = stored(
        uncertainties={"agents.X.power": [1.0, 2.0]}, keep={"outcomes": ["budget", "alignment.X"]}
    )
    assert list(gather(store).results.mean) == ["alignment.X", "budget.W"]


@pytest.mark.parametrize("seed", range(50))
def test_numbers_with_errors_read_back_as_they_were(seed):
    rng = np.random.default_rng(seed)
    value = float(rng.normal() * 10.0 ** rng.integers(-30, 30))
    error = abs(value) * float(10.0 ** rng.uniform(-4, 2))
    text = plus_minus(value, error)
    match = re.fullmatch(r"\(?(\S+) ± ([^)×]+)\)?(?:×10(\S+))?", text)
    power = int((match[3] or "0").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    read = [float(match[i].replace("−", "-")) * 10.0**power for i in (1, 2)]
    assert read[1] == pytest.approx(error, rel=0.051)
    assert read[0] == pytest.approx(value, abs=0.0505 * error)
    assert len(text) < 32


def test_numbers_at_the_edges():
    assert number(math.inf) == "∞"
    assert number(5e-324, 1) == "5×10⁻³²⁴"
    assert number(999999.9) == "1×10⁶"
    assert number(0.0) == plus_minus(0.0, math.nan).partition(" ")[0] == "0"
    assert plus_minus(math.nan, 1.0) == "—"
    assert plus_minus(1.0, 1e-17) == "1 ± 0"
    assert plus_minus(0.0, 5e-324).startswith("0 ± ")
    assert plus_minus(0.5, 0.0996) == "0.50 ± 0.10"


def test_labels_differ_and_figures_show_them_as_they_are():
    choices = [{"kind": "bayesian", "looks": looks} for looks in (1, 10, 100)]
    assert len(set(labels(choices, 12))) == 3
    assert labels([0.123456, 0.123457], 20) == ["0.123456", "0.123457"]
    assert figures.plain("$a_b$\n") == r"\$a_b\$ "
    assert figures._texts(["_hidden", "x"]) == [" _hidden", "x"]
    assert ranges([]) == ""
    assert json.loads(shown([1, {"a": None}])) == [1, {"a": None}]


def test_levels_are_ascending_numbers_or_labels_in_order():
    assert levels(np.array([3.0, 1.0])) == [1.0, 3.0]
    assert levels(np.array(["b", "a", "b"])) == ["b", "a"]


def test_results_without_outcomes_are_empty(grid):
    empty = Results.of(open_battery(grid), ["agents.X.power"], [])
    assert (empty.mean, empty.varied) == ({}, ["agents.X.power"])
