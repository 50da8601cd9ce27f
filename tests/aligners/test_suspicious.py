"""The suspicious aligner: exact against brute force, calibrated, and not fooled."""

import numpy as np
import pytest

import sumabm
from sumabm import sphere
from sumabm.aligners.suspicious import HONEST, MIMIC, TURNED, Doubt
from sumabm.model import SUMModel
from sumabm.scenario import ScenarioError
from sumabm.turns import Rotation

METHOD, BEHAVIOUR = "agents.W.method", "agents.X.behaviour"


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def prior(rows, d, suspicion=0.3):
    ln = np.array([np.log(1 - suspicion), np.log(suspicion), -np.inf])
    return Doubt(np.tile(ln[:, None], (1, rows)), np.zeros((3, rows, d)))


def test_bayes_factors_against_the_integral_over_the_circle():
    """Acts, audits and turns, with both aims' densities on 4000 angles."""
    rng = np.random.default_rng(5)
    angles = np.linspace(0.0, 2 * np.pi, 4000, endpoint=False)
    aims = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    goal = np.array([[0.6, 0.8]])
    doubt = prior(1, 2)
    honest, mimic = np.full(4000, 0.7 / 4000), np.full(4000, 0.3 / 4000)
    for step in range(12):
        told = rng.normal(size=(1, 2)) + 0.5 * goal
        if step % 3 == 2:
            doubt = doubt.audited(2, told)
            mimic = mimic * np.exp(aims @ told[0])
        else:
            doubt = doubt.acted(2, told, goal)
            mimic = mimic * np.exp(goal[0] @ told[0])
        honest = honest * np.exp(aims @ told[0])
        by = int(rng.integers(0, 4000))  # the aim turns, and with it what is known of it
        turn = Rotation(np.eye(2)[:1], np.eye(2)[1:], np.array([angles[by]]))
        doubt = doubt.rotated(turn)
        honest, mimic = np.roll(honest, by), np.roll(mimic, by)
        total = honest.sum() + mimic.sum()
        assert doubt.probabilities[MIMIC, 0] == pytest.approx(mimic.sum() / total, rel=1e-9)
        np.testing.assert_allclose(doubt.mean(2)[0], (honest + mimic) @ aims / total, atol=1e-12)
    assert 0.001 < doubt.probabilities[MIMIC, 0] < 0.999


def test_merging_keeps_the_mean_and_the_probabilities():
    rng = np.random.default_rng(2)
    doubt = Doubt(rng.normal(size=(3, 7)), 5.0 * rng.normal(size=(3, 7, 6)))
    later = doubt.waited(6, 0.2)
    np.testing.assert_allclose(later.mean(6), doubt.mean(6), rtol=1e-10)
    now, then = later.probabilities, doubt.probabilities
    np.testing.assert_allclose(now[HONEST], then[HONEST], rtol=1e-12)
    np.testing.assert_allclose(now[MIMIC], 0.8 * then[MIMIC], rtol=1e-12)
    sure = Doubt(np.array([[0.0], [-1000.0], [0.0]]), doubt.etas[:, :1])
    np.testing.assert_array_equal(sure.waited(6, 0.2).etas[TURNED], sure.etas[TURNED])


def belief_of(behaviour, method, rows, seed, steps=8):
    """Return P(honest), believed and true alignment after a few steps of a weak AI."""
    overrides = {"world.dimensions": 6, "agents.X.power": 0.4, BEHAVIOUR: behaviour, METHOD: method}
    model = SUMModel("treacherous-turn", rows, seed, steps=steps, **overrides)
    while model.running:
        model.step()
    honest = model.aligners["W"]._state["X"].probabilities[HONEST]
    return honest, model.shown["believed.X"], model.shown["alignment.X"]


def weighed(parts, weights, expected):
    """Return the z of ``Σ weights · mean(part)``."""
    total = sum(w * part.mean() for w, part in zip(weights, parts, strict=True))
    variance = sum(w**2 * part.var() / part.size for w, part in zip(weights, parts, strict=True))
    return abs(total - expected) / np.sqrt(variance)


@pytest.mark.no_cover
@pytest.mark.parametrize("audits", [{}, {"audit_rate": 0.3}, {"audit_every": 3}])
def test_calibrated_over_its_prior(audits):
    """Averaged over whom it reckons with, what it believes is what is."""
    method = {"kind": "suspicious", "suspicion": 0.4, "turn_rate": 0.0, **audits}
    for_ever = {"kind": "treacherous", "release": 99}
    cases = [belief_of(who, method, 4000, i) for i, who in enumerate(("honest", for_ever))]
    honest, gaps = [case[0] for case in cases], [case[1] - case[2] for case in cases]
    assert weighed(honest, (0.6, 0.4), 0.6) < 4
    assert weighed(honest, (0.4, 0.6), 0.4) > 4
    assert weighed(gaps, (0.6, 0.4), 0.0) < 4
    assert weighed(gaps, (0.0, 1.0), 0.0) > 4
    assert honest[0].mean() > honest[1].mean() + 0.1


@pytest.mark.no_cover
def test_calibrated_when_mimics_turn():
    """Over all steps at which a mimic may turn; the merger costs no more than the error shows."""
    rate, steps = 0.25, 8
    method = {"kind": "suspicious", "suspicion": 0.5, "turn_rate": rate}
    turns = [{"kind": "treacherous", "release": step} for step in (*range(steps), 99)]
    cases = [belief_of(who, method, 1500, i, steps) for i, who in enumerate(("honest", *turns))]
    late = (1 - rate) ** np.arange(steps)
    weights = [0.5, *(0.5 * rate * late), 0.5 * (1 - rate) ** steps]
    assert sum(weights) == pytest.approx(1.0)
    assert weighed([case[0] for case in cases], weights, 0.5) < 4
    assert weighed([case[1] - case[2] for case in cases], weights, 0.0) < 4


def test_it_is_not_fooled_by_a_mask_and_corrects_after_the_turn():
    """Without audits it knows that it knows nothing; then it learns as of an honest AI."""
    run, honest = (
        sumabm.simulate("audited", 300, overrides={METHOD: "suspicious", BEHAVIOUR: behaviour})
        for behaviour in ({"kind": "treacherous", "release": 50}, "honest")
    )
    seen, believed = (run[name].sel(agent="X").values for name in ("alignment", "believed"))
    assert abs(believed[:, 50].mean()) < 0.1
    for time in (100, 199):
        assert z(believed[:, time] - seen[:, time], 0.0) < 4
    late = honest["alignment"].sel(agent="X").values[:, 100].mean()
    assert seen[:, 150].mean() == pytest.approx(late, abs=0.02)


def test_audits_align_a_mimic_before_it_turns():
    naive = sumabm.simulate("treacherous-turn", 200)
    run = sumabm.simulate("audited", 200)
    seen, believed = (run[name].sel(agent="X").values for name in ("alignment", "believed"))
    assert seen[:, 50].mean() > 0.3
    assert abs(believed[:, 50] - seen[:, 50]).mean() < 0.1
    assert abs(believed[:, 50].mean() - seen[:, 50].mean()) < 0.02
    harms = [each["harm"].values[:, 50:].sum(axis=1).mean() for each in (naive, run)]
    assert harms[1] < 0.25 * harms[0]


def test_an_ai_that_knows_the_schedule_is_found_out_at_random():
    """Audits at steps it expects show the mask and clear it; at random ones they don't."""
    knows = {"kind": "treacherous", "release": 60, "knows_audits": 5}
    by_schedule, at_random = (
        sumabm.simulate("audited", 200, overrides={BEHAVIOUR: knows, METHOD: method}, steps=61)
        for method in (
            {"kind": "suspicious", "audit_every": 5},
            {"kind": "suspicious", "audit_rate": 0.2},
        )
    )
    last = [run.isel(step=60).sel(agent="X") for run in (by_schedule, at_random)]
    gaps = [(each["believed"] - each["alignment"]).values for each in last]
    assert gaps[0].mean() > 0.5
    assert last[1]["alignment"].values.mean() > 0.2
    assert gaps[1].mean() < 0.3


def test_audit_rates_of_nothing_and_always_are_schedules():
    runs = [
        sumabm.simulate("audited", 5, steps=9, overrides={METHOD: {"kind": "suspicious", **how}})
        for how in ({}, {"audit_rate": 0.0}, {"audit_every": 1}, {"audit_rate": 1.0})
    ]
    seen = [run["believed"].sel(agent="X").values for run in runs]
    np.testing.assert_array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[2], seen[3])
    assert not np.array_equal(seen[0], seen[2])


def test_edits_keep_to_their_power_and_never_cost_less_than_the_divergence():
    """The price bounds the KL divergence of the turned mixture, by Monte Carlo over it."""
    rng = np.random.default_rng(3)
    model = SUMModel("audited", 40, 1)
    while model.running and model.steps < 120:
        model.step()
        assert (model.row["spent.W"] <= 1.0 + 1e-12).all()
    d, goal = 4, np.eye(4)[:1]
    doubt = Doubt(np.log([[0.5], [0.2], [0.3]]), np.array([[[3.0, 1, 0, 0]], [[0, 2.0, 1, 0]],
                                                         [[1.0, 0, 4, 1]]]))  # fmt: skip
    mean = doubt.mean(d)
    turn = Rotation.onto(mean / np.linalg.norm(mean), goal)
    kappas = np.linalg.norm(doubt.etas[:, 0], axis=1)
    logs = kappas * sphere.mean_cosine(d, kappas) - sphere.nats(d, kappa=kappas)

    def density(v, etas):
        return sum(p * np.exp(v @ eta - ln) for p, eta, ln in
                   zip(doubt.probabilities[:, 0], etas, logs, strict=True))  # fmt: skip

    which = rng.choice(3, p=doubt.probabilities[:, 0], size=60_000)
    draws = np.concatenate([
        sphere.sample_vectors(doubt.etas[i, 0] / kappas[i], kappas[i], int((which == i).sum()), rng)
        for i in range(3)
    ])  # fmt: skip
    turned = [turn.turn(eta)[0] for eta in doubt.etas]
    ratio = np.log(density(draws, doubt.etas[:, 0]) / density(draws, turned))
    ways = doubt.etas[:, 0] / kappas[:, None]
    inside = (ways @ turn.first[0]) ** 2 + (ways @ turn.second[0]) ** 2
    price = (doubt.probabilities[:, 0] * kappas * sphere.mean_cosine(d, kappas) * inside).sum()
    _, spent = turn.within(np.array([price]), 1e9)
    assert 0.0 < ratio.mean() + 4 * ratio.std() / np.sqrt(ratio.size) < spent[0]
    part, least = turn.within(np.array([price]), 0.01)
    assert least[0] == pytest.approx(0.01)
    assert 0.0 < part.angle[0] < turn.angle[0]


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        ({METHOD: {"kind": "suspicious", "audit_every": 2, "audit_rate": 0.5}}, "audit_rate"),
        ({"agents.V": {"role": "aligner", "method": "budget"}}, "the aligner V"),
        ({"world.dynamics": "persist"}, "resets"),
        ({"activation": "simultaneous", "agents.Z": {"role": "ai", "power": 1.0}}, "one by one"),
        ({f"{METHOD}.suspicion": 1.0}, "suspicion"),
    ],
)
def test_what_it_cannot_describe_is_refused(overrides, rule):
    with pytest.raises(ScenarioError, match=rule):
        sumabm.load_scenario("audited", overrides)


@pytest.mark.parametrize("power", [0.0, 1e-300, 1e12, 1e100])
@pytest.mark.filterwarnings("error")
def test_extreme_powers_stay_finite(power):
    overrides = {"agents.X.power": power, f"{BEHAVIOUR}.release": 4, "world.dimensions": 3}
    run = sumabm.simulate("audited", 3, steps=12, overrides=overrides)
    for name in ("alignment", "believed", "information", "harm"):
        values = run[name].sel(agent="X") if name != "harm" else run[name]
        assert np.isfinite(values.values).all(), name
