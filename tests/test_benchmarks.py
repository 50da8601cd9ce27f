"""The benchmarks' peers compute what sumabm computes: nothing here is timed."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import picture, sphere, suite, tilt
from benchmarks.peers import fisher, society, tilts
from benchmarks.peers.bayesian import Bayesian
from benchmarks.peers.essay import Essay
from benchmarks.peers.idle import Idle
from benchmarks.timing import Case, judged, ratio
from sumabm import simulate
from sumabm import sphere as ours
from sumabm.tilt.discrete import discrete_tilt

REPLICATES, STEPS = 120, 50
VARIABLES = ("harm", "cumulative_harm", "alignment", "welfare", "information", "believed")


@pytest.fixture(
    scope="module", params=[("essay", Essay), ("bayesian", Bayesian)], ids=lambda p: p[0]
)
def both(request):
    """Arrays (replicate, step) by variable: a scenario's, and its peer's, of other seeds."""
    scenario, peer = request.param
    run = simulate(scenario, REPLICATES, seed=1, steps=STEPS)
    rows = society.run(peer, range(1000, 1000 + REPLICATES), steps=STEPS)
    assert len(rows) == REPLICATES * STEPS
    mine = {name: run[name] for name in VARIABLES}
    mine = {k: v.sel(agent="X").values if "agent" in v.dims else v.values for k, v in mine.items()}
    theirs = {
        name: np.array([row[name] for row in rows]).reshape(REPLICATES, STEPS) for name in VARIABLES
    }
    return mine, theirs


def z_score(first, second):
    """Return the difference of two means in standard errors, rounding not counted."""
    error = np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / len(first))
    return abs(first.mean() - second.mean()) / max(error, 1e-6)


@pytest.mark.parametrize("name", VARIABLES)
@pytest.mark.parametrize("step", [0, 20, STEPS - 1])
def test_mesa_peers_have_the_same_distribution(both, name, step):
    mine, theirs = both
    assert z_score(mine[name][:, step], theirs[name][:, step]) < 4.0


def test_that_test_tells_five_steps_apart(both):
    mine, theirs = both
    for name in VARIABLES:
        assert z_score(mine[name][:, 5], theirs[name][:, 10]) > 4.0


def test_mesa_peers_leave_the_same_displacement(both):
    residual = (np.sqrt(2.0) - 1.0) ** 2
    for rows in society.run(Essay, range(2), steps=3):
        assert rows["displacement"] == pytest.approx(residual, rel=1e-12)


@pytest.mark.parametrize("power", [0.1, 2.0])
def test_peers_find_the_same_tilt(power):
    log_p, utility = tilt.tables((50,))
    q = np.exp(discrete_tilt(log_p, utility, power).log_q)
    assert np.abs(tilts.by_brentq(log_p, utility, power) - q).max() < 1e-12
    assert (
        np.abs(np.array(tilts.by_loop(log_p.tolist(), utility.tolist(), power)) - q).max() < 1e-12
    )
    assert np.abs(tilts.by_brentq(log_p, utility, 1.01 * power) - q).max() > 1e-5


def test_brentq_takes_rows():
    log_p, utility = tilt.tables((3, 50))
    found = tilts.by_brentq(log_p, utility, 0.5)
    assert np.abs(found - np.exp(discrete_tilt(log_p, utility, 0.5).log_q)).max() < 1e-12


@pytest.mark.parametrize("d", [3, 100])
@pytest.mark.parametrize("kappa", [0.5, 50.0, 1000.0])
def test_scipy_gives_the_same_von_mises_fisher_law(d, kappa):
    assert fisher.nats(d, kappa) == pytest.approx(float(ours.nats(d, kappa=kappa)), rel=1e-8)
    mean = np.eye(d)[0]
    mine = ours.sample_vectors(mean, kappa, 2000, np.random.default_rng(1)) @ mean
    theirs = fisher.sample(mean, kappa, 2000, np.random.default_rng(2)) @ mean
    assert z_score(mine, theirs) < 4.0


def test_scipy_fits_the_same_von_mises_fisher_law():
    vectors = ours.sample_vectors(np.eye(3)[0], 50.0, 500, np.random.default_rng(1))
    (mine, kappa), (theirs, other) = sphere.fit(vectors), fisher.fit(vectors)
    assert np.abs(mine - theirs).max() < 1e-12
    assert kappa == pytest.approx(other, rel=1e-8)


def test_the_idle_model_has_as_many_agents_and_reporters_as_asked():
    model = Idle(4, 7)
    model.step()
    assert len(model.agents) == 4
    assert [len(values) for values in model.datacollector.model_vars.values()] == [1] * 7


def case(most, theirs=lambda: sum(range(3000))):
    return Case("group", "name", "beside", lambda: sum(range(3000)), theirs, most=most, repeats=3)


def test_a_measure_judges_by_the_median(capsys):
    assert judged([case(None), case(1e9)]) == 0
    assert judged([case(1e-9), case(1e9)]) == 1
    assert "at most 1e-09" in capsys.readouterr().out
    found = ratio(case(None))
    assert found.lower <= found.median <= found.upper


def test_the_suite_shows_ratios(tmp_path):
    rows = [
        {
            "group": f"group {i % 2}",
            "name": f"case {i}",
            "beside": "other",
            "median": 0.1 * i + 1,
            "lower": 0.09,
            "upper": 30.0,
            "most": None if i else 4.0,
            "repeats": 3,
        }
        for i in range(4)
    ]
    assert "| case 0 | other | 1 | 0.09 – 30 | ≤ 4 |" in suite.table(rows)
    picture.draw(rows, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"ratios.png", "ratios.svg"}


def test_the_suite_names_versions_and_processor_but_no_machine(monkeypatch):
    monkeypatch.setattr(suite, "version", lambda name: f"version of {name}")
    facts = suite.facts()
    assert set(facts) == {"versions", "processor", "threads"}
    assert set(facts["versions"]) == {"python", *suite.PACKAGES}
    assert facts["processor"]
