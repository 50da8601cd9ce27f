"""The world of truth and error: its moments, dependence, closed forms, and what it refuses."""

import numpy as np
import pytest
from scipy.special import ndtr

import sumabm
from sumabm import theory
from sumabm.laws import Exponential, GaussianLaw, Laplace, Pareto, StudentT
from sumabm.toml import ScenarioError
from sumabm.worlds.goodhart import Goodhart

ERRORS = [GaussianLaw(scale=0.5), StudentT(), Laplace(), Exponential(), Pareto()]


def welfare(power, behaviour="honest", **world):
    """Return what humans get, in sd of V, from one act of an AI that wants V + X."""
    changes = {"world": {"kind": "goodhart", **world}, "steps": 1, "agents.X.power": power}
    run = sumabm.simulate(
        "goodhart-gaussian", overrides={**changes, "agents.X.behaviour": behaviour}
    )
    return run["welfare"].item()


@pytest.mark.parametrize("error", ERRORS, ids=lambda law: law.kind)
def test_truth_and_error_keep_their_laws(error):
    spec = Goodhart(error=error, panels=16)
    base = spec.build(1)
    v, x = base.features.T
    law = error.standard()
    low = error.scale * (-error.cut if error.symmetric else error.low)
    grid = np.linspace(-error.cut if error.symmetric else error.low, error.cut, 2_000_001)
    density = law.pdf(grid)
    mean = error.scale * np.trapezoid(grid * density, grid) / np.trapezoid(density, grid)
    assert float(base.expect(v)) == pytest.approx(0.0, abs=1e-13)
    assert float(base.spread(v)) == pytest.approx(1.0, abs=1e-9)
    assert float(base.expect(x)) == pytest.approx(mean, abs=1e-7)
    assert x.min() >= low
    assert x.max() <= error.scale * error.cut
    white = base.whiten(np.stack([v, x]))
    assert abs(float(np.vecdot(white[0], white[1]))) < 1e-12  # independent: not correlated


@pytest.mark.parametrize("rho", [-0.6, -0.2, 0.5, 0.9])
@pytest.mark.parametrize("power", [0.01, 1.0, 4.0])
def test_gaussian_goodhart_is_the_closed_form(rho, power):
    error = {"kind": "gaussian", "scale": 2.0}
    found = welfare(power, error=error, correlation=rho, panels=16)
    assert found == pytest.approx(float(theory.proxy_gain(power, 2.0, rho)), rel=1e-5)
    assert abs(found - float(theory.proxy_gain(power, 2.0, -rho))) > 0.01


def test_gaussian_goodhart_at_every_power_of_its_scenario():
    run = sumabm.simulate("goodhart-gaussian")
    power = run["power"].sel(agent="X").values[0]
    np.testing.assert_allclose(run["welfare"].values[0], theory.proxy_gain(power, 1.0), rtol=1e-5)
    assert run["alignment"].sel(agent="X").values[0, 0] == pytest.approx(np.sqrt(0.5), abs=1e-9)
    residual = (1.0 - np.sqrt(0.5)) ** 2 * power
    np.testing.assert_allclose(run["harm"].values[0], residual, rtol=1e-4)


def test_dependence_is_a_copula():
    """Any law of V with any law of X: the normal scores have the correlation."""
    for error, truth in ((StudentT(cut=1e4), GaussianLaw()), (Laplace(), StudentT(cut=1e4))):
        spec = Goodhart(error=error, truth=truth, correlation=-0.4, panels=24)
        base = spec.build(1)
        scores = [law.scores(f) for law, f in zip((truth, error), base.features.T, strict=True)]
        mean = [float(base.expect(s)) for s in scores]
        np.testing.assert_allclose(mean, 0.0, atol=1e-9)
        assert float(base.expect(scores[0] * scores[1])) == pytest.approx(-0.4, abs=1e-6)
        assert float(base.expect(scores[1] ** 2)) == pytest.approx(1.0, abs=1e-6)


def test_a_dependent_one_sided_error_is_less_exact():
    """What the docstring concedes: 1e-3 in V's own mean, falling as panels grow."""
    off = [
        abs(float(base.expect(base.features[:, 0])))
        for base in (
            Goodhart(error=Exponential(), correlation=0.5, panels=n).build(1) for n in (8, 16, 32)
        )
    ]
    assert 1e-3 > off[0] > off[1] > off[2]


def test_dependent_error_rises_and_falls_under_the_tilt():
    """And with independent error it never falls: the negative control."""
    powers = (0.01, 0.1, 1.0, 3.0, 7.0)
    heavy = {"error": {"kind": "student-t", "cut": 30.0}, "panels": 16}
    dependent = [welfare(power, correlation=-0.3, **heavy) for power in powers]
    assert 0.0 < dependent[0] < dependent[1]
    assert dependent[1] > dependent[2] > dependent[3] > dependent[4]
    assert dependent[3] < 0.0  # by then humans are worse off than if the AI did nothing
    assert np.all(np.diff([welfare(power, **heavy) for power in powers]) > 0.0)


def test_panels_can_end_at_levels_of_the_proxy():
    plain, cut = (Goodhart(error=StudentT(), panels=8, level=lev) for lev in (None, 0.5))
    means = []
    for base in (plain.build(1), cut.build(1)):
        v, x = base.features.T
        means.append(float(base.tilt(v + x, 1.0).world.expect(v)))
    assert means[0] == pytest.approx(means[1], abs=1e-7)
    # In a column, the mass between two levels is that of V between them.
    base, steps = cut.build(1), np.arange(-4.0, 4.0, 0.5)
    v, x = base.features.T
    one = x == x[np.argmax(base.probabilities)]
    sums = [base.probabilities[one & (v + x > a) & (v + x < a + 0.5)].sum() for a in steps]
    exact = np.diff(ndtr(np.append(steps, 4.0) - x[one][0])) * base.probabilities[one].sum()
    np.testing.assert_allclose(sums, exact, rtol=1e-9)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"world.panels": 3}, "panels"),
        ({"world.correlation": 1.0}, "correlation"),
        ({"world.error": "cauchy"}, "unknown kind"),
        ({"world.error": {"kind": "pareto", "cut": 0.5}}, "greater than 1"),
        ({"world.level": 1e-6, "world.panels": 1000}, "at most 100000000 states"),
        ({"world.truth": {"kind": "student-t", "cut": 1e9}, "world.level": 1e-6}, "states"),
        (
            {"world.error": {"kind": "student-t", "df": 1e6, "cut": 1e9}, "world.panels": 2},
            "nearer cuts",
        ),
    ],
)
def test_what_makes_no_world_is_refused(change, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("goodhart-gaussian", change)


def test_the_extremes_of_its_fields_still_make_a_world():
    for error in (
        StudentT(df=0.1, cut=1e9),
        Pareto(index=0.1, cut=1e9),
        Pareto(index=1e3, cut=1.1),
        Exponential(scale=1e-100, cut=700.0),
        GaussianLaw(scale=1e100, cut=37.0),
        Laplace(cut=1e-3),
    ):
        base = Goodhart(error=error, correlation=0.99, panels=2).build(1)
        assert np.isfinite(float(base.tilt(base.linear(np.array([1.0, 1.0])), 1.0).gain))
