"""What ratings of pairs tell: moments against quadrature, beliefs against brute force."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from sumabm.model import SUMModel
from sumabm.ratings import RatingBelief, ask, log_odds_moments
from sumabm.streams import Streams
from sumabm.theory.preference import pair_information, pair_precision, preference_alignment
from sumabm.worlds.gaussian import GaussianWorld
from sumabm.worlds.states import Grid


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def goals(rows, d, seed):
    v = np.random.default_rng(seed).normal(size=(rows, d))
    return v / np.linalg.norm(v, axis=1)[:, None]


def quadrature(f, edges):
    pieces = pairwise(edges)
    return sum(integrate.quad(f, *piece, epsabs=1e-14, epsrel=1e-10)[0] for piece in pieces)


def rated(rows, d, pairs, rationality, seed, assumed=None):
    """Return v_Y and the belief after ratings of a Gaussian world."""
    base, v = GaussianWorld(np.zeros((rows, d))), goals(rows, d, seed)
    draw = Streams(seed, range(rows)).draw("W", "ratings")
    told = ask(base, v, pairs, rationality, draw)
    return v, RatingBelief.prior(rows, base).told(told, assumed or rationality)


def cosine(v, belief):
    return np.vecdot(v, belief.direction(np.zeros_like(v)))


@pytest.mark.parametrize("beta", [0.03, 1.0, 7.0, 1e5])
@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.4), (1.3, 0.2), (-0.5, 1.0), (-6.0, 1.5)])
def test_moments_are_those_of_the_logistic_law(beta, mean, sd):
    """Z = E Φ(x), x = (mean − L/β)/sd with L logistic, and its derivatives, by quadrature."""

    edges = np.clip(beta * (mean + sd * np.array([-9.0, 0.0, 9.0])), -59.0, 59.0)

    def average(f):
        def part(noise):
            return f((mean - noise / beta) / sd) * expit(noise) * expit(-noise)

        return quadrature(part, [-60.0, *np.unique(edges), 60.0])

    chance = average(stats.norm.cdf)
    first = average(stats.norm.pdf) / sd / chance
    second = average(lambda x: -x * stats.norm.pdf(x)) / sd**2 / chance
    slope, bend = log_odds_moments(np.array([mean]), np.array([sd**2]), beta)
    assert slope[0] == pytest.approx(first, rel=1e-8)
    assert bend[0] == pytest.approx(first**2 - second, rel=1e-6)


def test_moments_of_answers_that_could_hardly_be_are_finite():
    mean = -np.array([1.0, 1e2, 1e4])
    for beta in (1e-3, 1.0, 1e6):
        slope, bend = log_odds_moments(mean, np.full(3, 0.5), beta)
        assert np.all((slope > 0.0) & (bend >= 0.0) & (0.5 * bend <= 1.0 + 1e-9))


def plane(told, rationality):
    """Return mean and covariance of the exact posterior in two dimensions, on a grid."""
    side = np.linspace(-5.0, 5.0, 401)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    log_odds = -np.log1p(np.exp(-rationality * points @ told.T)).sum(axis=-1)
    weights = np.exp(log_odds - np.vecdot(points, points))  # N(0, I/2)
    weights /= weights.sum()
    mean = weights @ points
    return mean, (weights[:, None] * points).T @ points - np.outer(mean, mean)


def misses(belief, exact):
    """Return the r.m.s. miss of the mean in posterior sd, and the mean ratio of variances."""
    miss, ratio = [], []
    for m, c, (mean, covariance) in zip(belief.mean, belief.covariance, exact, strict=True):
        miss.append((m - mean) @ np.linalg.solve(covariance, m - mean))
        ratio.append(np.trace(c) / np.trace(covariance))
    return np.sqrt(np.mean(miss)), np.mean(ratio)


@pytest.mark.parametrize(("pairs", "miss", "less"), [(1, 1e-6, 1e-6), (12, 0.2, 0.2)])
def test_belief_is_near_the_exact_posterior_in_the_plane(pairs, miss, less):
    """Exact after one pair; after twelve 0.17 sd off, its variance 14 % too small."""
    rows, beta = 12, 2.0
    base = GaussianWorld(np.zeros((rows, 2)))
    told = ask(base, goals(rows, 2, 1), pairs, beta, Streams(1, range(rows)).draw("W", "a"))
    exact = [plane(one, beta) for one in told]
    prior = RatingBelief.prior(rows, base)
    off, ratio = misses(prior.told(told, beta), exact)
    assert off < miss
    assert abs(ratio - 1.0) < less
    off, ratio = misses(prior.told(told, 2.0 * beta), exact)
    assert off > miss
    assert abs(ratio - 1.0) > less


@pytest.mark.parametrize("kind", ["gaussian", "covariance", "grid"])
def test_humans_answer_by_the_law_in_any_world(kind):
    """E[v·x] of preferred x is E[Δ tanh(βΔ/2)] over pairs of outcomes, in sd."""
    rows, beta = 4000, 1.5
    base = {
        "gaussian": GaussianWorld(np.zeros((rows, 3))),
        "covariance": GaussianWorld(np.ones((rows, 3)), np.array([4.0, 0.1, 1.0])),
        "grid": Grid(steps=4, dimensions=2, reach=1.5).build(rows),
    }[kind]
    v = goals(1, base.dimensions, 3)
    told = ask(base, v, 2, beta, Streams(2, range(rows)).draw("W", "a"))
    if kind == "grid":
        of = np.atleast_2d(base.probabilities)[0]
        states = np.vecdot(v, np.stack([base.frame.mean(one) for one in np.eye(of.size)]))
        gap = states[:, None] - states
        mean = (of[:, None] * of * gap * np.tanh(0.5 * beta * gap)).sum()
    else:
        mean = integrate.quad(
            lambda gap: gap * np.tanh(0.5 * beta * gap) * stats.norm.pdf(gap, 0.0, np.sqrt(2.0)),
            -15, 15,
        )[0]  # fmt: skip
    seen = np.vecdot(told, v)
    assert z(seen[:, 0], mean) < 4
    assert z(seen[:, 1], mean) < 4
    assert z(seen[:, 0], 1.1 * mean) > 4


@pytest.mark.parametrize("beta", [0.5, 2.0, 1e6])
def test_belief_is_calibrated(beta):
    """In 60 dimensions the bias is 0.003; a belief in a wrong β is sure of too much."""
    v, belief = rated(300, 60, 60, beta, 5)
    assert z(cosine(v, belief) - belief.certainty(60), 0.0) < 4
    if beta < 1e6:  # an oracle cannot be overrated
        v, belief = rated(300, 60, 60, beta, 5, assumed=4.0 * beta)
        assert z(cosine(v, belief) - belief.certainty(60), 0.0) > 4


def test_modesty_in_few_dimensions_is_as_measured():
    """In 2 dimensions it expects 0.08 less than is, not knowing that v_Y has unit length."""
    v, belief = rated(2000, 2, 8, 2.0, 6)
    assert z(cosine(v, belief) - belief.certainty(2), 0.082) < 4


@pytest.mark.parametrize("beta", [0.5, 2.0, 1e3])
def test_alignment_is_that_of_state_evolution(beta):
    """Up to 2d pairs, an oracle's to d; the closed form at c = 0 has left it by then."""
    for d, rows, pairs in ((100, 150, 5), (100, 100, 100), (60, 150, 120)):
        v, belief = rated(rows, d, pairs, beta, 7)
        seen = cosine(v, belief)
        solved = float(preference_alignment(d, pairs, beta))
        if beta < 1e3 or pairs <= d:
            assert z(seen, solved) < 4, pairs
        else:  # an oracle's pairs, forgotten one by one, are not made the best of
            assert 0.98 * solved < seen.mean() < solved
        x = pairs / d * float(pair_precision(beta))
        early = np.sqrt(x / (1.0 + x))
        assert (z(seen, early) < 4) == (pairs == 5 or beta == 0.5), pairs


def gaussian_nats(belief, d):
    """Return KL(belief‖prior) by replicate."""
    log_det = np.linalg.slogdet(d * belief.covariance)[1]
    trace = d * np.einsum("rii->r", belief.covariance)
    return 0.5 * (trace + d * np.vecdot(belief.mean, belief.mean) - d - log_det)


@pytest.mark.parametrize("beta", [0.2, 1.0, 3.0, 1e6])
def test_a_pair_tells_no_more_than_its_information(beta):
    for pairs in (1, 10):
        _, belief = rated(2000, 10, pairs, beta, 8)
        nats = gaussian_nats(belief, 10) / pairs
        spread = nats.std(ddof=1) / np.sqrt(nats.size)
        assert nats.mean() < float(pair_information(beta)) + 4.0 * spread
        assert nats.mean() < np.log(2.0)
    assert gaussian_nats(rated(2000, 50, 1, beta, 8)[1], 50).mean() > 0.4 * float(
        pair_information(beta)
    )


def test_information_of_a_pair():
    """Against quadrature; from β²/4 to ln 2, and never above."""
    for beta in (0.01, 0.7, 3.0, 29.0, 31.0, 400.0):

        def told(gap, beta=beta):
            p = expit(beta * np.sqrt(2.0) * np.array([gap, -gap]))
            return (np.log(2.0) - stats.entropy(p)) * 2.0 * stats.norm.pdf(gap)

        exact = quadrature(told, [0.0, min(1.0 / beta, 4.0), min(20.0 / beta, 8.0), 12.0])
        assert float(pair_information(beta)) == pytest.approx(exact, rel=1e-8)
    betas = np.geomspace(1e-6, 1e12, 200)
    nats = pair_information(betas)
    assert np.all(np.diff(nats) >= 0.0)
    assert np.all(nats <= np.log(2.0))
    assert nats[0] == pytest.approx(0.25e-12, rel=1e-6)
    assert nats[-1] == pytest.approx(np.log(2.0), rel=1e-9)


def test_precision_of_a_pair():
    """Limits, and no more than twice the information's worth before anything is known."""
    assert float(pair_precision(1e-4)) == pytest.approx(0.5e-8, rel=1e-6)
    assert float(pair_precision(1e8)) == pytest.approx(2.0 / np.pi, rel=1e-9)
    betas, c = np.geomspace(1e-3, 1e3, 13)[:, None], np.linspace(0.0, 0.999, 9)
    precision = pair_precision(betas, c)
    assert np.all(np.diff(precision, axis=0) > 0.0)
    assert np.all(np.diff(precision, axis=1) > -1e-12 * precision[:, 1:])
    assert np.all(precision[:, 0] <= 2.0 * pair_information(betas[:, 0]))
    for beta in (0.3, 0.70, 0.72, 5.0):

        def density(gap, b=beta):  # of Δ, by the slope of σ(βΔ)
            return b * expit(b * gap) * expit(-b * gap) * stats.norm.pdf(gap, 0.0, np.sqrt(2.0))

        exact = 8.0 * quadrature(density, [-12.0, 0.0, 12.0]) ** 2
        assert float(pair_precision(beta)) == pytest.approx(exact, rel=1e-9)


def test_alignment_by_ratings_has_its_limits():
    assert preference_alignment(10.0, 0.0, 1.0) == 0.0
    c = preference_alignment(10.0, np.geomspace(1e-3, 1e6, 60), 1.0)
    assert np.all(np.diff(c) > 0.0)
    assert np.all(c < 1.0)
    for bad in ({"pairs": -1.0}, {"rationality": 0.0}, {"d": 0.0}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            preference_alignment(**{"d": 10.0, "pairs": 1.0, "rationality": 1.0, **bad})


def test_dimensions_that_no_utility_has_are_not_learnt():
    model = SUMModel(
        "essay", 4, world={"kind": "states", "utilities": "free", "probabilities": [0.25] * 4}
    )
    base = model.base
    draw = Streams(1, range(4)).draw("W", "a")
    prior = RatingBelief.prior(4, base)
    assert base.width > base.dimensions
    np.testing.assert_array_equal(prior.certainty(base.dimensions), 0.0)
    belief = prior.told(ask(base, model.goal, 400, 5.0, draw), 5.0)
    sure = belief.certainty(base.dimensions)
    assert np.all((sure > 0.9) & (sure < 1.0))
    assert np.all(cosine(model.goal, belief) > 0.9)
