"""The quick tilt: right to 1e-12 wherever it says so, and the same bits in any company."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from sumabm.tilt import _quick
from sumabm.tilt.discrete import discrete_tilt

LAWS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "far from zero": lambda rng, shape: 1e6 + rng.normal(size=shape),
    "heavy": lambda rng, shape: rng.standard_t(3, size=shape),
    "skewed": lambda rng, shape: np.exp(rng.normal(size=shape)),
    "skewed down": lambda rng, shape: -np.exp(rng.normal(size=shape)),
    "uniform": lambda rng, shape: rng.random(shape),
    "two values": lambda rng, shape: (rng.random(shape) < 0.1).astype(float),
    "sorted": lambda rng, shape: np.sort(rng.normal(size=shape), axis=-1),
    "nearly constant": lambda rng, shape: 1.0 + 1e-12 * rng.normal(size=shape),
    "tiny": lambda rng, shape: 1e-9 * rng.normal(size=shape),
}
POWERS = (0.02, 0.05, 0.1, 0.5, 2.0, 5.0)


def tables(law, rows, states, seed=1):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(rows, states)) * rng.uniform(0.5, 3.0, (rows, 1))
    return np.asarray(log_softmax(logits, axis=-1)), LAWS[law](rng, (rows, states))


def quick(log_p, utility, power):
    """Return log_q, β, gain and which rows were found."""
    log_q, (beta, gain) = np.empty_like(log_p), np.empty((2, len(log_p)))
    found = _quick.quick_tilts(log_p, utility, power, log_q, beta, gain)
    return log_q, beta, gain, found


def worst(log_p, utility, power, log_q, beta, gain):
    """Return the largest errors of the power, of the gain and of log_q, in extended precision."""
    p, u = log_p.astype(np.longdouble), utility.astype(np.longdouble)
    u = u - u[:, :1]
    mass = np.exp(p).sum(axis=-1, keepdims=True)
    base = (np.exp(p) * u).sum(axis=-1, keepdims=True) / mass
    y = beta[:, None] * (u - base)
    e = np.exp(p + y)
    total = e.sum(axis=-1, keepdims=True)
    spent = ((e * y).sum(axis=-1, keepdims=True) / total - np.log(total / mass))[:, 0]
    rise = (e * (u - base)).sum(axis=-1) / total[:, 0]
    size = 1.0 + np.abs(p) + np.abs(y)
    return tuple(
        float(np.max(np.abs(error), initial=0.0))
        for error in (spent / power - 1, gain / rise - 1, (p + y - np.log(total) - log_q) / size)
    )


@pytest.mark.parametrize("states", [2, 7, 100, 1000, 20_000])
@pytest.mark.parametrize("law", LAWS)
def test_what_is_found_is_right(law, states):
    rows = 6 if states > 5000 else 60
    log_p, utility = tables(law, rows, states)
    power = np.resize(POWERS, rows)
    *tilt, found = quick(log_p, utility, power)
    picked = [a[found] for a in (log_p, utility, power, *tilt)]
    spent, gain, logs = worst(*picked)
    assert spent < 2e-13
    assert gain < 1e-12
    assert logs < 1e-13
    plain = power <= 2.0
    if states >= 1000 and law in ("normal", "far from zero"):
        assert found[plain].all()
    for error in (1e-11, -1e-11):  # a β that is wrong by so little is noticed
        picked[4] = tilt[1][found] * (1.0 + error)
        assert not found.any() or worst(*picked)[0] > 1e-12


def test_the_last_step_matters(monkeypatch):
    log_p, utility = tables("normal", 40, 1000)
    power = np.full(40, 0.5)
    monkeypatch.setattr(
        _quick, "_moved", lambda state, slope, step: (state.log_total, state.mean, slope)
    )
    *tilt, found = quick(log_p, utility, power)
    picked = [a[found] for a in (log_p, utility, power, *tilt)]
    assert found.sum() > 30
    assert worst(*picked)[0] > 1e-9


def test_next_to_saturation_little_power_and_extremes_are_left():
    log_p = np.log([[0.1, 0.2, 0.7]])
    for share in (1.0, 1.0 - 1e-9, 2.0):
        assert not quick(log_p, np.array([[1.0, 0.5, 0.0]]), -share * log_p[:, 0])[-1]
    utility = np.array([[1.0, 0.5, 0.0]])
    for power in (0.0, 1e-9, 0.019, np.inf):
        assert not quick(log_p, utility, np.array([power]))[-1]
    for scale in (1e-300, 1e300, np.nan, 0.0):
        assert not quick(log_p, utility * scale, np.array([0.1]))[-1]
    assert not quick(log_p + 1e-3, utility, np.array([0.1]))[-1]
    assert quick(log_p, utility, np.array([0.1]))[-1]


def mixture(states, rows):
    """Return worlds, utilities and powers of rows of which some are ordinary."""
    log_p, utility = tables("heavy", rows, states, seed=states)
    power = 10.0 ** np.random.default_rng(states).uniform(-2.5, 0.7, rows)
    power[::7], power[3::7], power[5] = 1e-9, 0.0, np.inf
    utility[2], utility[4] = 1.0, utility[4] * 1e250
    log_p[6, 0] = -np.inf
    log_p[6] -= np.log(np.exp(log_p[6]).sum())
    utility[6, 0] = np.nan
    return log_p, utility, power


@pytest.mark.parametrize(("states", "rows"), [(3, 9000), (50, 400), (1000, 300), (20_000, 20)])
def test_rows_are_the_same_in_any_company(states, rows):
    log_p, utility, power = mixture(states, rows)
    together = discrete_tilt(log_p, utility, power)
    found = quick(log_p, utility, power)[-1]
    assert 0.1 < found.mean() < 0.9
    for k in (*range(8), rows - 2, rows - 1):
        alone = discrete_tilt(log_p[k], utility[k], power[k])
        for whole, single in zip(together, alone, strict=True):
            np.testing.assert_array_equal(whole[k], single)
    some = np.arange(1, rows, 3)
    part = discrete_tilt(log_p[some], utility[some], power[some])
    for whole, few in zip(together, part, strict=True):
        np.testing.assert_array_equal(whole[some], few)


class TestThreads:
    @pytest.mark.parametrize("threads", [2, 3, 50])
    @pytest.mark.parametrize("shared", ["neither", "world", "utility", "both"])
    def test_make_no_difference(self, threads, shared):
        log_p, utility, power = mixture(200, 40)
        if shared in ("world", "both"):
            log_p, utility[6, 0] = log_p[0], 0.0
        if shared in ("utility", "both"):
            utility = utility[1]
        one = discrete_tilt(log_p, utility, power)
        several = discrete_tilt(log_p, utility, power, threads=threads)
        for a, b in zip(one, several, strict=True):
            np.testing.assert_array_equal(a, b)

    def test_complaints_name_the_row_among_all(self):
        log_p, utility = tables("normal", 9, 20)
        log_p[7] -= 0.1
        for threads in (1, 4):
            with pytest.raises(ValueError, match="row 7 of log_p has total probability"):
                discrete_tilt(log_p, utility, 0.1, threads=threads)

    def test_at_least_one(self):
        with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
            discrete_tilt(np.zeros(1), np.zeros(1), 1.0, threads=0)


def test_a_row_does_not_know_how_its_table_lies_in_memory():
    rng = np.random.default_rng(5)
    log_p = log_softmax(rng.standard_normal((40, 37)), axis=-1)
    utility = rng.standard_normal((40, 37))
    plain = discrete_tilt(log_p, utility, 0.5)
    wide = np.repeat(utility, 2, axis=1)
    for same in (np.asfortranarray(utility), wide[:, ::2]):
        other = discrete_tilt(np.asfortranarray(log_p), same, 0.5)
        assert np.array_equal(other.log_q, plain.log_q)
        assert np.array_equal(other.beta, plain.beta)
