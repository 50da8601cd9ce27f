"""Figures show what they say: data, bands and theory, labelled, for every kind of run."""

import numpy as np
import pytest

import sumabm
from sumabm.figures import draw_all, save_all
from sumabm.figures.style import PALETTE
from sumabm.predict import predict


def figures(scenario, replicates=6, steps=8, **overrides):
    spec = sumabm.load_scenario(scenario, overrides)
    run = sumabm.simulate(spec, replicates, steps=steps)
    curves = predict(run, spec)
    return run, curves, draw_all(run, curves)


@pytest.mark.parametrize("scenario", ["essay", "bayesian", "unopposed", "many"])
def test_every_panel_is_labelled(scenario):
    run, _, drawn = figures(scenario)
    expected = {"harm", "alignment", "power", "plane"}
    several = {"oversight"} if scenario == "many" else set()
    assert set(drawn) == expected | several | ({"information"} if "budget" in run else set())
    drawn.pop("oversight", None)  # it has no axes
    for name, figure in drawn.items():
        for axes in figure.axes:
            assert axes.get_xlabel(), name
        assert figure.axes[0].get_ylabel()
        assert any(axes.get_legend() for axes in figure.axes)


@pytest.mark.parametrize("scenario", ["cup-grasp", "reward-model"])
def test_discrete_worlds_have_figures_of_their_own(scenario):
    run, _, drawn = figures(scenario, steps=1)
    assert set(drawn) == {"harm", "alignment", "power", "states", "frontier"}
    for name in ("states", "frontier"):
        (axes,) = drawn[name].axes
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    if scenario == "cup-grasp":
        heights = [bar.get_height() for bar in drawn["states"].axes[0].patches]
        expected = [run[f"state_{name}"].values for name in ("base", "acted", "left")]
        np.testing.assert_allclose(heights, np.concatenate(expected))
    curve = drawn["frontier"].axes[0].lines[0]
    nats, gain = curve.get_xdata(), curve.get_ydata()
    point = drawn["frontier"].axes[0].lines[1]
    assert point.get_xdata()[0] == pytest.approx(float(run["spent"].sel(agent="X")[0, 0]))
    frontier = np.interp(point.get_xdata()[0], nats, gain)
    assert point.get_ydata()[0] == pytest.approx(frontier, rel=1e-2)  # an AI alone is on it


def test_lines_are_the_means_and_dashes_the_theory():
    run, curves, drawn = figures("essay")
    axes = drawn["alignment"].axes[0]
    solid = next(line for line in axes.lines if line.get_linestyle() == "-")
    dashed = next(line for line in axes.lines if line.get_linestyle() == "--")
    mean = run["alignment"].sel(agent="X").mean("replicate").values
    np.testing.assert_allclose(solid.get_ydata(), mean)
    np.testing.assert_allclose(dashed.get_ydata(), curves["alignment.X"])
    assert len(axes.collections) == 1  # the band


def test_the_plane_shows_where_the_world_went():
    run, _, drawn = figures("unopposed")
    tips = [a.xy for a in drawn["plane"].axes[0].texts]
    c = run["alignment"].sel(agent="X", step=0).values
    expected = 2.0 * np.array([c.mean(), np.sqrt(1 - c**2).mean()])
    np.testing.assert_allclose(tips[0], expected, rtol=1e-9)


def test_a_single_replicate_has_no_band():
    _, _, drawn = figures("essay", replicates=1)
    assert len(drawn["alignment"].axes[0].collections) == 0


def test_runs_that_stop_early_or_at_once_are_drawn():
    for threshold in (0.3, -0.99):
        figures("essay", steps=20, stop={"alignment": threshold})


def test_figures_are_saved_in_both_formats_and_are_reproducible(tmp_path):
    run, curves, _ = figures("essay")
    names = save_all(run, curves, tmp_path / "a")
    save_all(run, curves, tmp_path / "b")
    assert sorted(names) == sorted(p.name for p in (tmp_path / "a").iterdir())
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_palette_is_one_that_everyone_can_tell_apart():
    assert len(set(PALETTE)) == len(PALETTE) == 7


def test_odd_runs_are_drawn():
    table = sumabm.load_scenario("essay").model_dump()
    del table["agents"]["X"]
    table["agents"]["W"]["oversees"] = None
    spec = sumabm.Scenario.model_validate(table)
    run = sumabm.simulate(spec, 2, steps=2)
    assert set(draw_all(run, predict(run, spec))) == {"harm", "power"}
    cloud = {"kind": "cloud", "points": 64, "dimensions": 3}
    for threshold in (0.3, -0.99):
        figures("essay", steps=20, world=cloud, stop={"alignment": threshold})
    wide = {"kind": "grid", "steps": 21, "dimensions": 2, "reach": 37.0}
    figures("essay", steps=2, world=wide)


# --- what origins know ---------------------------------------------------------------------------


def test_generations_are_drawn_at_some_steps_with_theory_and_the_ai():
    run, curves, drawn = figures("goal-discovery", steps=9)
    (axes,) = drawn["generations"].axes
    solid = [line for line in axes.lines if line.get_linestyle() == "-"]
    dashed = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert [line.get_label() for line in solid] == ["step 0", "step 2", "step 4", "step 8"]
    means = run.sel(agent="X").mean("replicate")
    for line, theory, step in zip(solid, dashed, (0, 2, 4, 8), strict=True):
        goals = means["generation_alignment"].sel(step=step).values
        expected = [*goals, np.nan, means["alignment"].sel(step=step)]
        np.testing.assert_allclose(line.get_ydata(), expected)
        names = [f"generation_alignment.X.{place}" for place in range(3)]
        expected = [*(curves[name][step] for name in names), np.nan, curves["alignment.X"][step]]
        np.testing.assert_allclose(theory.get_ydata(), expected)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "1", "2", "AI"]
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    low, high = np.quantile(run["generation_alignment"].sel(agent="X")[:, 8], (0.025, 0.975), 0)
    bars = axes.collections[-1].get_segments()
    np.testing.assert_allclose([bar[:, 1] for bar in bars][:3], np.stack([low, high], 1))


def test_each_ai_with_subagents_has_its_generations():
    other = {"role": "ai", "power": 1.0, "utility": {"kind": "subagents", "graph": "series"}}
    other["utility"]["subagents"] = 30
    plain = {"role": "ai", "power": 1.0}
    extra = {"agents.V": other, "agents.U": plain, "world.dimensions": 5}
    _, _, drawn = figures("subagents", replicates=1, steps=1, **extra)
    axes = drawn["generations"].axes
    assert [panel.get_title(loc="right") for panel in axes] == ["X", "V"]
    ticks = [label.get_text() for label in axes[1].get_xticklabels()]
    assert ticks == [*map(str, range(0, 30, 3)), "AI"]
    assert not axes[0].collections  # a single replicate
    for threshold in (0.995, -0.99):  # runs that stop early, and at once
        _, _, drawn = figures("subagents", steps=60, stop={"alignment": threshold})
        assert ("generations" in drawn) == (threshold > 0)


def test_only_runs_with_subagents_have_generations():
    for scenario in ("essay", "explorer"):
        assert "generations" not in figures(scenario, steps=2)[2]


def test_alignment_has_what_an_explorer_knows_of_its_reward():
    run, curves, drawn = figures("explorer")
    lines = {line.get_label(): line for line in drawn["alignment"].axes[0].lines}
    learnt = run["learnt"].sel(agent="X").mean("replicate")
    np.testing.assert_allclose(lines["X with its own reward"].get_ydata(), learnt)
    np.testing.assert_allclose(lines["theory: own reward"].get_ydata(), curves["learnt.X"])
