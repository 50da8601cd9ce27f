"""The normal world: general formulas for KL and moments, the geometric path, acts at once."""

import itertools

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sumabm.types import Array
from sumabm.worlds.gaussian import GaussianWorld
from sumabm.worlds.normal import NormalWorld, Quadratic


def random_world(seed: int, rows: int, d: int) -> NormalWorld:
    rng = np.random.default_rng([seed, 1])
    root = np.eye(d) + 0.4 * rng.normal(size=(rows, d, d))
    return NormalWorld(rng.normal(size=(rows, d)), root)


def random_utility(seed: int, rows: int, d: int, scale: float = 1.0) -> Quadratic:
    rng = np.random.default_rng([seed, 2])
    half = rng.normal(size=(rows, d, d)) * scale
    return Quadratic(rng.normal(size=(rows, d)), half + np.swapaxes(half, -1, -2))


def general_nats(world: NormalWorld, base: NormalWorld) -> Array:
    inverse = np.linalg.inv(base.covariance)
    way = world.mean - base.mean
    logs = np.linalg.slogdet(base.covariance)[1] - np.linalg.slogdet(world.covariance)[1]
    trace = np.trace(inverse @ world.covariance, axis1=-2, axis2=-1)
    square = np.einsum("ri,rij,rj->r", way, inverse, way)
    return 0.5 * (trace - way.shape[-1] + square + logs)


def naturals(world: NormalWorld) -> tuple[Array, Array]:
    precision = np.linalg.inv(world.covariance)
    return precision, np.einsum("rij,rj->ri", precision, world.mean)


def rows_of(world: NormalWorld, part: slice) -> NormalWorld:
    return NormalWorld(world.mean[part], world.root[part])


# --- construction ---------------------------------------------------------------------------------


def test_any_root_becomes_the_cholesky_factor() -> None:
    roots = np.random.default_rng(1).normal(size=(6, 3, 3))
    world = NormalWorld(np.zeros(3), roots)
    np.testing.assert_allclose(world.root, np.linalg.cholesky(roots @ np.swapaxes(roots, 1, 2)))
    again = NormalWorld(world.mean, world.root)
    np.testing.assert_array_equal(again.root, world.root)
    assert NormalWorld(np.zeros((5, 3)), np.eye(3)).root.shape == (5, 3, 3)
    of = NormalWorld.of(np.zeros(3), world.covariance)
    np.testing.assert_allclose(of.root, world.root, rtol=1e-9)


def test_a_world_is_a_value() -> None:
    mean = np.zeros((1, 2))
    world = NormalWorld(mean, np.eye(2))
    mean[0, 0] = 5.0
    assert world.mean[0, 0] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        world.mean[0, 0] = 1.0
    with pytest.raises(AttributeError):
        world.root = np.eye(2)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("mean", "root", "message"),
    [
        (np.zeros(2), np.eye(3), r"root must be \(2, 2\) or \(R, 2, 2\), got \(3, 3\)"),
        (np.zeros((2, 2, 2)), np.eye(2), "mean must be"),
        (np.zeros(0), np.eye(0), "mean must be"),
        (np.array([0.0, np.nan]), np.eye(2), "finite"),
        (np.zeros(2), np.diag([1.0, np.inf]), "finite"),
        (np.zeros((2, 2)), np.ones((3, 2, 2)), "broadcast"),
    ],
)
def test_bad_worlds_are_refused(mean: Array, root: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NormalWorld(mean, root)


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        (np.array([[1.0, 0.5], [0.0, 1.0]]), "symmetric"),
        (np.diag([1.0, -1.0]), "positive definite"),
        (np.diag([1.0, np.nan]), "finite"),
        (np.ones(2), r"\(d, d\)"),
    ],
)
def test_bad_covariances_are_refused(covariance: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NormalWorld.of(np.zeros(2), covariance)


@pytest.mark.parametrize(
    ("v", "A", "message"),
    [
        (np.zeros(2), np.array([[0.0, 1.0], [0.5, 0.0]]), "symmetric"),
        (np.zeros(2), np.eye(3), r"A must be \(2, 2\)"),
        (np.zeros((1, 2, 2)), np.eye(2), "v must be"),
        (np.float64(1.0), np.eye(1), "v must be"),
        (np.array([np.inf, 0.0]), np.eye(2), "finite"),
        (np.zeros(2), np.diag([np.nan, 1.0]), "finite"),
    ],
)
def test_bad_utilities_are_refused(v: Array, A: Array, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Quadratic(v, A)


def test_utilities_and_powers_must_fit() -> None:
    world = random_world(0, 3, 2)
    for bad in (np.ones(3), Quadratic(np.ones(3), np.eye(3)), np.float64(1.0)):
        for method in (world.expect, world.spread, lambda u: world.tilt(u, 1.0)):
            with pytest.raises(ValueError, match="2 dimensions"):
                method(bad)
    for power in (-1.0, np.inf, np.nan, np.array([1.0, -2.0, 1.0])):
        with pytest.raises(ValueError, match="power must be finite and at least 0"):
            world.tilt(np.ones(2), power)
        with pytest.raises(ValueError, match="power must be finite and at least 0"):
            world.toward(world, power)


# --- moments and divergences ----------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 3])
def test_moments_agree_with_quadrature(d: int) -> None:
    world, utility = random_world(3, 1, d), random_utility(3, 1, d)
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)  # exact for u²
    z = np.array(list(itertools.product(nodes, repeat=d)))[None]
    w = np.prod(list(itertools.product(weights / weights.sum(), repeat=d)), axis=-1)
    states = world.sample(z)[0]
    for given_utility, values in (
        (
            utility,
            states @ utility.v[0] - 0.5 * np.einsum("ni,ij,nj->n", states, utility.A[0], states),
        ),
        (utility.v, states @ utility.v[0]),
    ):
        mean = w @ values
        assert world.expect(given_utility)[0] == pytest.approx(mean, rel=1e-11)
        sd = np.sqrt(w @ (values - mean) ** 2)
        assert world.spread(given_utility)[0] == pytest.approx(sd, rel=1e-11)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_moments_at_any_scale(scale: float) -> None:
    world, utility = random_world(3, 4, 2), random_utility(3, 4, 2, 0.1)
    scaled = Quadratic(utility.v * scale, utility.A * scale)
    for method in (world.expect, world.spread):
        np.testing.assert_allclose(method(scaled) / scale, method(utility), rtol=1e-12)
        np.testing.assert_allclose(method(scaled.v) / scale, method(utility.v), rtol=1e-12)
    t, one = world.tilt(scaled.v, 1.0), world.tilt(utility.v, 1.0)
    np.testing.assert_allclose(t.gain / scale, one.gain, rtol=1e-12)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_divergence_is_the_general_formula(d: int) -> None:
    one, other = random_world(1, 20, d), random_world(2, 20, d)
    np.testing.assert_allclose(one.nats_from(other), general_nats(one, other), rtol=1e-7)
    np.testing.assert_array_equal(one.nats_from(one), 0.0)


def test_divergence_of_close_and_of_distant_worlds() -> None:
    def nats(ratio: float, way: float) -> float:
        with mp.workdps(60):
            r, m = mp.mpf(ratio), mp.mpf(way)
            return float((r * r - 1 - 2 * mp.log(r) + m * m) / 2)

    base = NormalWorld(np.zeros(1), np.eye(1))
    for ratio in (1.0 + 1e-9, 1.0 - 1e-7, 1e-12, 1e12, 1e-150):
        world = NormalWorld(np.full(1, 1e-8), np.full((1, 1), ratio))
        assert world.nats_from(base)[0] == pytest.approx(nats(ratio, 1e-8), rel=1e-13)


def test_a_point_is_infinitely_far_and_no_base() -> None:
    point = NormalWorld(np.zeros(2), np.diag([1.0, 0.0]))
    world = NormalWorld(np.zeros(2), np.eye(2))
    assert point.nats_from(world) == np.inf
    for refused in (
        lambda: world.nats_from(point),
        lambda: world.toward(point, 1.0),
        lambda: point.toward(world, 1.0),
    ):
        with pytest.raises(ValueError, match="without spread"):
            refused()


# --- the verb -------------------------------------------------------------------------------------


def test_linear_acts_are_those_of_the_gaussian_world() -> None:
    rng = np.random.default_rng(4)
    covariance = (lambda a: a @ a.T)(rng.normal(size=(3, 5)))
    mean, v, power = rng.normal(size=(7, 3)), rng.normal(size=(7, 3)), rng.uniform(0, 3, 7)
    plain, world = GaussianWorld(mean, covariance), NormalWorld.of(mean, covariance)
    one, other = world.tilt(v, power), plain.tilt(v, power)
    np.testing.assert_allclose(one.world.mean, other.world.mean, rtol=1e-11)
    np.testing.assert_array_equal(one.world.root, world.root)
    for a, b in zip(one[1:], other[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)
    np.testing.assert_allclose(world.best_gain(v, power), plain.best_gain(v, power), rtol=1e-12)
    target = rng.normal(size=(7, 3))
    one, other = (
        world.toward(NormalWorld.of(target, covariance), power),
        plain.toward(GaussianWorld(target, covariance), power),
    )
    np.testing.assert_allclose(one.world.mean, other.world.mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(one.world.root, world.root)
    for a, b in zip(one[1:], other[1:], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


@pytest.mark.parametrize("scale", [0.0, 0.01, 1.0, 100.0])
def test_a_quadratic_act_spends_and_gains_what_it_says(scale: float) -> None:
    world, utility = random_world(5, 40, 3), random_utility(5, 40, 3, scale)
    power = np.random.default_rng(5).uniform(0.2, 4.0, 40)
    act = world.tilt(utility, power)
    np.testing.assert_allclose(act.world.nats_from(world), power, rtol=1e-9)
    np.testing.assert_array_equal(act.spent, power)
    rise = act.world.expect(utility) - world.expect(utility)
    np.testing.assert_allclose(act.gain, rise, rtol=1e-9)
    both = act.world.nats_from(world) + world.nats_from(act.world)
    np.testing.assert_allclose(act.beta * rise, both, rtol=1e-9)  # Jeffreys
    np.testing.assert_array_equal(world.best_gain(utility, power), act.gain)
    assert np.all(world.best_gain(utility, 0.5 * power) < act.gain)


def test_a_narrow_goal_for_small_powers_gains_by_its_spread() -> None:
    world, utility = random_world(6, 10, 3), random_utility(6, 10, 3)
    power = 1e-10
    gain = world.best_gain(utility, power)
    np.testing.assert_allclose(gain, np.sqrt(2 * power) * world.spread(utility), rtol=1e-4)


@pytest.mark.parametrize(("a", "c"), [(1.0, 0.5), (2.0, 0.1), (0.3, 3.0)])
def test_over_optimising_a_proxy_gives_the_published_curve(a: float, c: float) -> None:
    """[gao2022] R = δ(α − βδ), δ = sqrt(KL): a tilt by x when x − (c/2)(x² − 1) was meant."""
    world = NormalWorld.of(np.zeros(1))
    meant = Quadratic(np.full(1, a), np.full((1, 1), c))
    power = np.linspace(0.0, 6.0, 13)
    after = world.tilt(np.ones(1), power).world
    root = np.sqrt(after.nats_from(world))
    np.testing.assert_allclose(
        after.expect(meant) - world.expect(meant),
        root * (np.sqrt(2.0) * a - c * root),
        rtol=1e-13,
        atol=1e-14,
    )
    # who optimises what was meant never does worse than at the start, nor than the proxy's best
    assert np.all(world.best_gain(meant, power) >= root * (np.sqrt(2.0) * a - c * root) - 1e-12)


def test_the_published_point_of_the_curve() -> None:
    world = NormalWorld.of(np.zeros(1))
    nats = np.log(4.0) - 0.75  # best of 4
    after = world.tilt(np.ones(1), nats).world
    value = after.expect(Quadratic(np.ones(1), np.full((1, 1), 0.5))) + 0.25
    assert value[0] == pytest.approx(0.809943561464, rel=1e-11)


# --- undo -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 4])
def test_undo_walks_the_geometric_path(d: int) -> None:
    world, target = random_world(7, 40, d), random_world(8, 40, d)
    full = target.nats_from(world)
    share = np.linspace(0.01, 1.6, 40)
    act = world.toward(target, full * share)
    arrived = share >= 1.0
    np.testing.assert_array_equal(act.beta == 1.0, arrived)
    np.testing.assert_array_equal(act.world.mean[arrived], target.mean[arrived])
    np.testing.assert_array_equal(act.world.root[arrived], target.root[arrived])
    np.testing.assert_allclose(act.spent, full * np.minimum(share, 1.0), rtol=1e-12)
    np.testing.assert_allclose(act.world.nats_from(world), act.spent, rtol=1e-7)
    for mixed, here, there in zip(
        naturals(act.world), naturals(world), naturals(target), strict=True
    ):
        beta = act.beta.reshape(-1, *[1] * (here.ndim - 1))
        np.testing.assert_allclose(mixed, (1 - beta) * here + beta * there, rtol=1e-5, atol=1e-6)
    both = act.world.nats_from(world) + world.nats_from(act.world)
    np.testing.assert_allclose(act.beta * act.gain, both, rtol=1e-7)


def test_undoing_an_act_takes_the_nats_of_the_way_back() -> None:
    base = random_world(9, 10, 3)
    moved = base.tilt(random_utility(9, 10, 3), 1.0).world
    back = base.nats_from(moved)
    act = moved.toward(base, back)
    np.testing.assert_array_equal(act.world.root, base.root)
    np.testing.assert_array_equal(act.world.mean, base.mean)
    nearly = moved.toward(base, back * (1 - 1e-9))
    np.testing.assert_allclose(nearly.world.root, base.root, atol=1e-7)
    assert np.all(nearly.beta < 1.0)
    stay = base.toward(base, 1.0)
    np.testing.assert_array_equal(stay.beta, 1.0)
    np.testing.assert_array_equal(stay.spent, 0.0)
    none = moved.toward(base, 0.0)
    np.testing.assert_array_equal(none.world.root, moved.root)
    np.testing.assert_array_equal(none.beta, 0.0)


def test_undo_beats_other_worlds_within_the_power() -> None:
    world, target = random_world(10, 1, 2), random_world(11, 1, 2)
    power = 0.4 * target.nats_from(world)
    best = world.toward(target, power).world
    utility = np.random.default_rng(1)
    rows = 2000
    near = NormalWorld(
        best.mean + 0.1 * utility.normal(size=(rows, 2)),
        best.root + 0.1 * np.tril(utility.normal(size=(rows, 2, 2))),
    )
    allowed = near.nats_from(world) <= power
    assert allowed.sum() > 100
    assert np.all(near.nats_from(target)[allowed] >= best.nats_from(target))


def test_relaxing_is_the_same_path() -> None:
    world, base = random_world(12, 6, 3), random_world(13, 6, 3)
    assert world.relax(base, 0.0) is world
    assert world.relax(base, 1.0) is base
    third = world.relax(base, 0.3)
    for mixed, here, there in zip(naturals(third), naturals(world), naturals(base), strict=True):
        np.testing.assert_allclose(mixed, 0.7 * here + 0.3 * there, rtol=1e-6, atol=1e-8)
    walked = world.toward(base, third.nats_from(world))
    np.testing.assert_allclose(walked.beta, 0.3, rtol=1e-8)
    with pytest.raises(ValueError, match="share"):
        world.relax(base, 1.5)


# --- acts at once ---------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), d=st.integers(1, 4))
def test_natural_parameters_add(seed: int, d: int) -> None:
    world = random_world(seed, 4, d)
    narrow = Quadratic(random_utility(seed, 4, d).v, np.eye(d))
    wide = random_utility(seed + 1, 4, d, 0.3)
    v = random_utility(seed + 2, 4, d).v
    acts = [(narrow, 0.7), (wide, np.full(4, 1e-3)), (v, 0.5)]
    together = world.tilt_together(acts)
    for (utility, power), act in zip(acts, together, strict=True):
        alone = world.tilt(utility, power)
        assert act.world is together[0].world
        np.testing.assert_allclose(act.beta, alone.beta, rtol=1e-10)
        np.testing.assert_allclose(act.gain, alone.gain, rtol=1e-10)
        np.testing.assert_array_equal(act.spent, alone.spent)
    a, b, c = (act.beta for act in together)
    precision, pull = naturals(world)
    precision = precision + a[:, None, None] * narrow.A + b[:, None, None] * wide.A
    pull = pull + a[:, None] * narrow.v + b[:, None] * wide.v + c[:, None] * v
    result = together[0].world
    covariance = np.linalg.inv(precision)
    size = np.abs(covariance).max()
    np.testing.assert_allclose(result.covariance, covariance, rtol=1e-6, atol=1e-7 * size)
    mean = np.einsum("rij,rj->ri", covariance, pull)
    np.testing.assert_allclose(result.mean, mean, rtol=1e-5, atol=1e-6 * np.abs(mean).max())
    # in any order
    other = world.tilt_together(acts[::-1])[0].world
    np.testing.assert_allclose(other.covariance, result.covariance, rtol=1e-8, atol=1e-9 * size)


def test_one_act_alone_is_a_tilt_and_none_is_none() -> None:
    world, utility = random_world(14, 5, 2), random_utility(14, 5, 2)
    (together,), alone = world.tilt_together([(utility, 3.0)]), world.tilt(utility, 3.0)
    np.testing.assert_array_equal(together.world.root, alone.world.root)
    np.testing.assert_array_equal(together.world.mean, alone.world.mean)
    assert world.tilt_together([]) == []


def test_copies_spend_more_together() -> None:
    world = NormalWorld.of(np.zeros(1))
    acts = [(np.ones(1), 0.5)] * 3
    joint = world.tilt_together(acts)[0].world
    assert joint.nats_from(world)[0] == pytest.approx(9 * 0.5)
    np.testing.assert_array_equal(joint.root, world.root)


def test_spreaders_that_leave_no_distribution_are_named() -> None:
    world = NormalWorld.of(np.zeros((3, 2)))
    wide = Quadratic(np.zeros(2), np.diag([-1.0, 0.0]))
    narrow = Quadratic(np.zeros(2), np.diag([0.0, 1.0]))
    power = np.array([0.0, 1.0, 1.0])  # β = 0, then above ½: two copies are too many
    with pytest.raises(ValueError, match=r"acts \[1, 3\] .* in replicate 1 \(2 of 3 replicates\)"):
        world.tilt_together([(narrow, 1.0), (wide, power), (np.ones(2), 1.0), (wide, power)])
    steadied = Quadratic(np.zeros(2), np.diag([1.0, 0.0]))
    saved = world.tilt_together([(steadied, 4.0), (wide, power), (wide, power)])
    assert np.all(np.isfinite(saved[0].world.root))
    with pytest.raises(ValueError, match="act 1 has a multiplier beyond the float range"):
        world.tilt_together([(wide, 1.0), (narrow, 1e3)])


# --- the rest of the protocol ---------------------------------------------------------------------


def test_whitened_coordinates() -> None:
    world, reference = random_world(15, 6, 3), random_world(16, 6, 3)
    v = np.random.default_rng(0).normal(size=(6, 3))
    white = world.whiten(v)
    np.testing.assert_allclose(np.linalg.norm(white, axis=-1), world.spread(v), rtol=1e-12)
    np.testing.assert_allclose(world.colour(white), v, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(world.whiten(v[0])[3], world.root[3].T @ v[0], rtol=1e-12)
    way = np.linalg.solve(world.root, (world.mean - reference.mean)[..., None])[..., 0]
    np.testing.assert_allclose(world.shift(reference), way, rtol=1e-9)
    act = world.tilt(v, 2.0).world  # a tilt of power O along a unit aim moves it sqrt(2 O)
    unit = white / np.linalg.norm(white, axis=-1, keepdims=True)
    np.testing.assert_allclose(act.shift(world), 2.0 * unit, rtol=1e-8, atol=1e-9)


def test_pick() -> None:
    worlds = [random_world(s, 4, 2) for s in range(3)]
    picked = worlds[0].pick(worlds, np.array([2, 0, 1, 1]))
    for r, k in enumerate([2, 0, 1, 1]):
        np.testing.assert_array_equal(picked.mean[r], worlds[k].mean[r])
        np.testing.assert_array_equal(picked.root[r], worlds[k].root[r])


def test_sampled_moments() -> None:
    world = random_world(17, 2, 2)
    states = world.sample(np.random.default_rng(0).normal(size=(2, 40_000, 2)))
    np.testing.assert_allclose(states.mean(axis=1), world.mean, atol=0.03)
    for r in range(2):
        np.testing.assert_allclose(np.cov(states[r].T), world.covariance[r], atol=0.08)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32), rows=st.integers(2, 6), d=st.integers(1, 9))
def test_rows_do_not_depend_on_each_other(seed: int, rows: int, d: int) -> None:
    world, other = random_world(seed, rows, d), random_world(seed + 1, rows, d)
    utility, v = random_utility(seed, rows, d), random_utility(seed + 1, rows, d).v

    bends = np.eye(d) * (np.arange(rows) % 2)[:, None, None]  # some rows linear

    def all_of(part: slice) -> list[Array]:
        here, there = rows_of(world, part), rows_of(other, part)
        u, w = Quadratic(utility.v[part], utility.A[part]), v[part]
        flat = Quadratic(w, bends[part])
        acts = [here.tilt(u, 0.3), here.tilt(w, 0.3), here.toward(there, 0.3)]
        acts.append(here.tilt_together([(Quadratic(w, np.eye(d)), 0.2), (w, 0.1)])[0])
        acts.append(here.tilt_together([(flat, 0.2), (w, 0.1)])[0])
        worlds = [act.world for act in acts] + [here.relax(there, 0.4)]
        arrays = [a for x in worlds for a in (x.mean, x.root)]
        arrays += [a for act in acts for a in act[1:]]
        arrays += [here.expect(u), here.spread(u), here.nats_from(there), here.shift(there)]
        return [*arrays, here.whiten(w), here.colour(w), here.best_gain(u, 0.1)]

    whole = all_of(slice(None))
    for part in [slice(r, r + 1) for r in range(rows)] + [slice(0, rows, 2)]:
        for alone, among in zip(all_of(part), whole, strict=True):
            np.testing.assert_array_equal(alone, among[part])


def test_order_of_successive_acts_matters() -> None:
    world, utility = random_world(18, 1, 2), random_utility(18, 1, 2)
    v = utility.v
    one = world.tilt(utility, 1.0).world.tilt(v, 1.0).world
    other = world.tilt(v, 1.0).world.tilt(utility, 1.0).world
    assert not np.allclose(one.mean, other.mean, rtol=1e-3)


def test_one_row_serves_many() -> None:
    world = NormalWorld.of(np.zeros(2))
    utility = random_utility(19, 5, 2)
    act = world.tilt(utility, np.arange(5.0))
    assert act.world.mean.shape == (5, 2)
    many = NormalWorld(np.zeros((5, 2)), np.eye(2)).tilt(utility, np.arange(5.0))
    np.testing.assert_array_equal(act.world.root, many.world.root)
    assert world.expect(utility).shape == (5,)
    assert world.tilt_together([(utility, 1e-3), (np.ones(2), 1.0)])[0].world.root.shape == (
        5,
        2,
        2,
    )
    assert act.world.toward(world, 0.1).world.mean.shape == (5, 2)
    assert world.toward(act.world, 0.1).world.mean.shape == (5, 2)
    assert world.nats_from(act.world).shape == (5,)
