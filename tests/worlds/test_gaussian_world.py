"""Gaussian worlds: their laws by sampling, their acts by brute force, their algebra by scipy."""

import numpy as np
import pytest
from scipy import optimize, stats

import sumabm
from sumabm.streams import Streams
from sumabm.toml import ScenarioError
from sumabm.worlds.gaussian import Covariance, Gaussian, GaussianWorld

D = 4
FULL = np.array(
    [[2.0, 0.6, -0.3, 0.0], [0.6, 1.0, 0.2, 0.1], [-0.3, 0.2, 3.0, -1.0], [0.0, 0.1, -1.0, 0.8]]
)
COVARIANCES = {"identity": None, "diagonal": np.array([0.3, 1.0, 2.0, 4.5]), "full": FULL}
DENSE = {"identity": np.eye(D), "diagonal": np.diag(COVARIANCES["diagonal"]), "full": FULL}
every_covariance = pytest.mark.parametrize("name", COVARIANCES)


def normals(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def world_of(name, rows=3, seed=10):
    return GaussianWorld(normals(rows, D, seed=seed), COVARIANCES[name])


def z(sample, expected):
    """Return how many standard errors the mean of a sample is from expected, by coordinate."""
    error = sample.std(axis=0, ddof=1) / np.sqrt(sample.shape[0])
    return np.abs(sample.mean(axis=0) - expected) / error


def kl(after, before, name):
    """Return KL(after ‖ before) by integrating ln(after/before) exactly: it is linear in s."""
    law = [
        [stats.multivariate_normal(mean, DENSE[name]) for mean in world.mean]
        for world in (after, before)
    ]
    return np.array([a.logpdf(a.mean) - b.logpdf(a.mean) for a, b in zip(*law, strict=True)])


# --- acts -------------------------------------------------------------------------------------


@every_covariance
def test_tilt_spends_its_power_and_gains_what_it_says(name):
    world, v, power = world_of(name), normals(3, D), np.array([0.1, 1.0, 30.0])
    tilt = world.tilt(v, power)
    np.testing.assert_allclose(kl(tilt.world, world, name), power, rtol=1e-9)
    np.testing.assert_allclose(tilt.spent, power)
    np.testing.assert_allclose(tilt.world.nats_from(world), power, rtol=1e-9)
    np.testing.assert_allclose(tilt.gain, tilt.world.expect(v) - world.expect(v), rtol=1e-9)
    np.testing.assert_allclose(tilt.gain, world.best_gain(v, power), rtol=1e-12)
    assert tilt.world.covariance is world.covariance


@every_covariance
def test_an_act_leaves_its_world_as_it_was(name):
    world, v = world_of(name), normals(3, D)
    mean, utility = world.mean.copy(), v.copy()
    world.tilt(v, 1.0)
    world.toward(world.tilt(v, 2.0).world, 0.5)
    world.tilt_together([(v, np.ones(3))] * 2)
    np.testing.assert_array_equal(world.mean, mean)
    np.testing.assert_array_equal(v, utility)


def test_the_origin_of_the_states_is_immaterial():
    v, far = normals(3, D), np.array([1e3, -2e3, 0.0, 5e2])
    near = world_of("full").tilt(v, 0.8)
    moved = GaussianWorld(world_of("full").mean + far, FULL).tilt(v, 0.8)
    np.testing.assert_allclose(moved.world.mean - far, near.world.mean, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(moved.gain, near.gain)


def test_a_single_world_needs_no_replicate_axis():
    many = GaussianWorld(np.zeros((1, D)), FULL).tilt(normals(1, D), 1.0)
    one = GaussianWorld(np.zeros(D), FULL).tilt(normals(1, D)[0], 1.0)
    assert np.array_equal(one.world.mean, many.world.mean[0])
    home = one.world.toward(GaussianWorld(np.zeros(D), FULL), 0.25)
    assert home.beta == pytest.approx(0.5)


@every_covariance
def test_toward_is_the_nearest_world_within_reach(name):
    """Brute force over the mean: least KL to the target within KL of the start."""
    start, target = world_of(name, 1), world_of(name, 1, seed=11)
    inverse, whole = np.linalg.inv(DENSE[name]), kl(target, start, name)[0]
    for power in (0.1 * whole, 0.6 * whole, 1.4 * whole):
        found = optimize.minimize(
            lambda x: 0.5 * (x - target.mean[0]) @ inverse @ (x - target.mean[0]),
            0.9 * start.mean[0] + 0.1 * target.mean[0],
            method="SLSQP",
            constraints={
                "type": "ineq",
                "fun": lambda x, power=power: (
                    power - 0.5 * (x - start.mean[0]) @ inverse @ (x - start.mean[0])
                ),
            },
            options={"ftol": 1e-15, "maxiter": 500},
        )
        tilt = start.toward(target, power)
        np.testing.assert_allclose(tilt.world.mean[0], found.x, atol=1e-5)
        np.testing.assert_allclose(kl(tilt.world, start, name), tilt.spent, rtol=1e-9)
        assert tilt.spent[0] == pytest.approx(min(power, whole), rel=1e-9)
        assert tilt.beta[0] == pytest.approx(min(1.0, np.sqrt(power / whole)), rel=1e-9)


@every_covariance
def test_toward_gains_in_the_log_ratio_of_densities(name):
    start, target = world_of(name, 1), world_of(name, 1, seed=11)
    tilt = start.toward(target, 0.3)
    ratio = [
        stats.multivariate_normal(target.mean[0], DENSE[name]).logpdf(s)
        - stats.multivariate_normal(start.mean[0], DENSE[name]).logpdf(s)
        for s in (start.mean[0], tilt.world.mean[0])  # linear in s: its mean is that at the mean
    ]
    assert tilt.gain[0] == pytest.approx(ratio[1] - ratio[0], rel=1e-9)


@every_covariance
def test_toward_lands_exactly_and_then_rests(name):
    start, target = world_of(name), world_of(name, seed=11)
    tilt = start.toward(target, 1e3)
    assert np.array_equal(tilt.world.mean, target.mean)
    rest = tilt.world.toward(target, 1e3)
    np.testing.assert_array_equal(rest.spent, 0.0)
    assert np.array_equal(rest.world.mean, target.mean)


@every_covariance
def test_copies_acting_at_once_move_the_world_by_n_squared(name):
    world, v, power = world_of(name), normals(3, D), np.array([0.1, 0.5, 2.0])
    n = 5
    tilts = world.tilt_together([(v, power)] * n)
    assert len(tilts) == n
    np.testing.assert_allclose(sum(tilt.spent for tilt in tilts), n * power)
    np.testing.assert_allclose(kl(tilts[0].world, world, name), n**2 * power, rtol=1e-9)
    assert all(tilt.world is tilts[0].world for tilt in tilts)


@every_covariance
def test_strangers_acting_at_once_move_the_world_by_n_to_n_squared(name):
    """Joint KL ``Σ_ij sqrt(O_i O_j) ρ_ij``, ρ the correlations of the utilities."""
    world, powers = world_of(name, 1), np.array([0.3, 1.0, 0.05])
    utilities = normals(3, D, seed=3)
    scaled = (
        utilities / np.sqrt(np.einsum("id,de,ie->i", utilities, DENSE[name], utilities))[:, None]
    )
    correlation = scaled @ DENSE[name] @ scaled.T
    joint = np.sqrt(np.outer(powers, powers)) * correlation
    acts = [(v[None], power) for v, power in zip(utilities, powers, strict=True)]
    tilts = world.tilt_together(acts)
    np.testing.assert_allclose(tilts[0].world.nats_from(world), joint.sum(), rtol=1e-9)
    in_turn = world
    for v, power in acts:
        in_turn = in_turn.tilt(v, power).world
    np.testing.assert_allclose(tilts[2].world.mean, in_turn.mean, rtol=1e-12)


@every_covariance
def test_relaxing_is_a_log_linear_mixture(name):
    world, base, share = world_of(name, 1), world_of(name, 1, seed=11), 0.3
    relaxed = world.relax(base, share)
    states = normals(20, D, seed=4)
    log = [
        stats.multivariate_normal(w.mean[0], DENSE[name]).logpdf(states)
        for w in (relaxed, world, base)
    ]
    left = log[0] - (1.0 - share) * log[1] - share * log[2]
    np.testing.assert_allclose(left, left[0], atol=1e-9)
    assert np.ptp(log[0] - share * log[1] - (1.0 - share) * log[2]) > 0.1
    assert np.array_equal(world.relax(base, 1.0).mean, base.mean)
    np.testing.assert_allclose(world.relax(base, 0.0).mean, world.mean, rtol=1e-12)


# --- laws, by sampling ------------------------------------------------------------------------


@every_covariance
def test_samples_have_the_worlds_law(name):
    world, v, n = world_of(name, 2), normals(2, D), 20_000
    states = world.sample(normals(2, n, D, seed=5))
    for row in range(2):
        centred = states[row] - world.mean[row]
        assert z(states[row], world.mean[row]).max() < 4
        products = np.einsum("nd,ne->nde", centred, centred).reshape(n, -1)
        assert z(products, DENSE[name].ravel()).max() < 4
        assert z(products, 1.2 * DENSE[name].ravel()).max() > 4
        values = states[row] @ v[row]
        assert z(values, world.expect(v)[row]) < 4
        assert z((values - world.expect(v)[row]) ** 2, world.spread(v)[row] ** 2) < 4


@every_covariance
def test_alignment_is_correlation_under_the_base(name):
    """The cosine of whitened utilities is Corr(u_X, u_Y), by sampling."""
    world, n = GaussianWorld(np.zeros((1, D)), COVARIANCES[name]), 20_000
    v, w = normals(1, D, seed=6), normals(1, D, seed=7)
    states = world.sample(normals(1, n, D, seed=8))[0]
    values = states @ np.stack([v[0], w[0]], axis=1)
    a, b = world.whiten(v)[0], world.whiten(w)[0]
    cosine = a @ b / np.sqrt((a @ a) * (b @ b))
    found = np.corrcoef(values.T)[0, 1]
    error = (1.0 - cosine**2) / np.sqrt(n)
    assert abs(found - cosine) < 4 * error
    plain = v[0] @ w[0] / np.sqrt((v[0] @ v[0]) * (w[0] @ w[0]))
    if name != "identity":
        assert abs(found - plain) > 4 * error


@every_covariance
@pytest.mark.parametrize("looks", [1, 7])
def test_looks_have_the_law_of_a_mean_of_samples(name, looks):
    rows = 20_000
    reference = GaussianWorld(np.zeros((1, D)) + 0.5, COVARIANCES[name])
    seen = GaussianWorld(np.tile(normals(1, D, seed=9), (rows, 1)), COVARIANCES[name])
    look = seen.look(reference, Streams(1, range(rows)).draw("W", "looks"), looks)
    inverse_root = np.linalg.inv(np.linalg.cholesky(DENSE[name]))
    signal = inverse_root @ (seen.mean[0] - 0.5)
    assert look.shape == (rows, D)
    assert z(look, signal).max() < 4
    assert z(look, 1.1 * signal).max() > 4
    centred = look - signal
    products = np.einsum("rd,re->rde", centred, centred).reshape(rows, -1)
    assert z(products, np.eye(D).ravel() / looks).max() < 4
    assert z(products, np.eye(D).ravel() / (looks + 0.2)).max() > 4
    # the long way: average so many samples, then whiten the average
    states = GaussianWorld(seen.mean[:4000], COVARIANCES[name]).sample(
        normals(4000, looks, D, seed=12)
    )
    averaged = (states.mean(axis=1) - 0.5) @ inverse_root.T
    assert z(averaged, signal).max() < 4
    products = np.einsum("rd,re->rde", averaged - signal, averaged - signal).reshape(4000, -1)
    assert z(products, np.eye(D).ravel() / looks).max() < 4


# --- whitened coordinates ---------------------------------------------------------------------


@every_covariance
def test_colour_and_whiten_are_inverse(name):
    world, v = world_of(name), normals(3, D)
    np.testing.assert_allclose(world.colour(world.whiten(v)), v, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(world.whiten(world.colour(v)), v, rtol=1e-12, atol=1e-12)


@every_covariance
def test_whitened_length_is_the_standard_deviation(name):
    world, v, w = world_of(name), normals(3, D), normals(3, D, seed=1)
    covariance = np.einsum("rd,de,re->r", v, DENSE[name], w)
    np.testing.assert_allclose(np.vecdot(world.whiten(v), world.whiten(w)), covariance, rtol=1e-12)
    variance = np.einsum("rd,de,re->r", v, DENSE[name], v)
    np.testing.assert_allclose(world.spread(v), np.sqrt(variance), rtol=1e-12)


@every_covariance
def test_a_tilt_pushes_the_whitened_world_along_the_whitened_utility(name):
    """What an aligner sees, less noise, is sqrt(2O) times the AI's aim: looks reveal utilities."""
    world, v, power = world_of(name), normals(3, D), np.array([0.2, 1.0, 5.0])
    shift = world.tilt(v, power).world.shift(world)
    aim = world.whiten(v)
    aim = aim / np.linalg.norm(aim, axis=1, keepdims=True)
    np.testing.assert_allclose(shift, np.sqrt(2.0 * power)[:, None] * aim, rtol=1e-9)


# --- the replicate axis -----------------------------------------------------------------------


@every_covariance
def test_rows_do_not_depend_on_their_company(name):
    world, other, v = world_of(name, 40), world_of(name, 40, seed=11), normals(40, D)
    power = np.random.default_rng(1).exponential(size=40)

    def everything(rows):
        w, o = (GaussianWorld(a.mean[rows], a.covariance) for a in (world, other))
        tilt, toward = w.tilt(v[rows], power[rows]), w.toward(o, power[rows])
        together = w.tilt_together([(v[rows], power[rows]), (v[rows][:, ::-1], power[rows])])
        yield from (tilt.world.mean, tilt.beta, tilt.spent, tilt.gain)
        yield from (toward.world.mean, toward.beta, toward.spent, toward.gain)
        yield from (together[0].world.mean, w.nats_from(o), w.expect(v[rows]), w.spread(v[rows]))
        yield from (w.relax(o, 0.3).mean, w.shift(o), w.whiten(v[rows]), w.colour(v[rows]))
        yield w.best_gain(v[rows], power[rows])

    whole = list(everything(np.arange(40)))
    order = np.random.default_rng(2).permutation(40)
    for rows in ([17], np.arange(5, 40), np.arange(0, 40, 2), order):
        for part, all_rows in zip(everything(rows), whole, strict=True):
            assert np.array_equal(part, all_rows[rows])


@every_covariance
def test_pick_takes_each_replicate_from_its_own_world(name):
    worlds = [world_of(name, 4, seed=s) for s in range(3)]
    picked = worlds[0].pick(worlds, np.array([2, 0, 1, 2]))
    expected = np.stack([worlds[w].mean[r] for r, w in enumerate([2, 0, 1, 2])])
    np.testing.assert_array_equal(picked.mean, expected)
    assert picked.covariance is worlds[0].covariance


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([1.0, 0.0, 1.0, 1.0], "variance is 0 or less"),
        ([1.0, -1.0, 1.0, 1.0], "variance is 0 or less"),
        ([1.0, np.nan, 1.0, 1.0], "finite"),
        (np.diag([1.0, np.inf, 1.0, 1.0]), "finite"),
        (np.ones((D, D)), "positive definite"),
        (-np.eye(D), "positive definite"),
        (np.triu(np.ones((D, D))), "symmetric"),
        (np.ones((D, D + 1)), "shape"),
        (np.ones((1, D, D)), "shape"),
        (3.0, "shape"),
        (np.eye(D + 1), "5 dimensions, the mean 4"),
        ([1.0] * (D - 1), "3 dimensions, the mean 4"),
    ],
)
def test_a_covariance_that_is_none_is_refused(matrix, words):
    with pytest.raises(ValueError, match=words):
        GaussianWorld(np.zeros((1, D)), matrix)


@every_covariance
@pytest.mark.parametrize("power", [-1.0, -1e-300, np.nan, np.inf, [1.0, -2.0, 1.0]])
def test_power_must_be_finite_and_not_negative(name, power):
    world, v = world_of(name), normals(3, D)
    for act in (
        lambda: world.tilt(v, power),
        lambda: world.toward(world_of(name, seed=11), power),
        lambda: world.tilt_together([(v, 1.0), (v, power)]),
    ):
        with pytest.raises(ValueError, match="power must be finite and at least 0 nats"):
            act()


@every_covariance
@pytest.mark.parametrize("width", [D - 1, D + 1])
def test_a_utility_of_another_width_is_refused(name, width):
    world = world_of(name)
    for act in (
        lambda: world.tilt(np.ones((3, width)), 1.0),
        lambda: world.tilt_together([(np.ones((3, width)), np.ones(3))]),
        lambda: world.expect(np.ones((3, width))),
        lambda: world.spread(np.ones((3, width))) + world.expect(np.ones((3, width))),
    ):
        with pytest.raises(ValueError, match=r"dimension|broadcast"):
            act()


# --- the component ----------------------------------------------------------------------------


def test_the_component_builds_the_base_world():
    built = Gaussian(dimensions=D, covariance=FULL.tolist()).build(6)
    np.testing.assert_array_equal(built.mean, np.zeros((6, D)))
    np.testing.assert_array_equal(built.covariance.matrix, FULL)
    assert Gaussian(dimensions=D).build(2).covariance.matrix is None
    assert built.dimensions == built.width == D


@pytest.mark.parametrize(
    ("covariance", "words"),
    [
        ([1.0, 2.0], "should be 3 variances"),
        ([[1.0, 0.0], [0.0, 1.0]], "should be 3 variances"),
        ([[1.0, 0.0, 0.0], [0.0, 1.0], [0.0, 0.0, 1.0]], "should be 3 variances"),
        ([1.0, 1.0, 0.0], "variance is 0 or less"),
        ([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 1.0]], "positive definite"),
        ([[1.0, 0.5, 0.0], [0.2, 1.0, 0.0], [0.0, 0.0, 1.0]], "symmetric"),
    ],
)
def test_a_scenario_with_a_bad_covariance_is_refused(covariance, words):
    overrides = {"world.dimensions": 3, "world.covariance": covariance}
    with pytest.raises(ScenarioError, match=words) as caught:
        sumabm.load_scenario("essay", overrides)
    assert "world.covariance" in str(caught.value)


def test_alignment_in_a_correlated_scenario_is_correlation():
    """v_Xᵀ C v_Y / (‖v_X‖_C ‖v_Y‖_C), from the scenario file to the recorded alignment."""
    x, y = [1.0, -0.5, 0.2, 0.0], [0.3, 1.0, 0.0, -2.0]
    run = sumabm.simulate(
        "unopposed",
        1,
        steps=1,
        overrides={
            "world.dimensions": D,
            "world.covariance": FULL.tolist(),
            "agents.X.utility": {"kind": "fixed", "direction": x},
            "agents.Y.utility": {"kind": "fixed", "direction": y},
        },
    )
    c = run["alignment"].sel(agent="X").values[0, 0]
    x, y = np.array(x), np.array(y)
    assert c == pytest.approx(x @ FULL @ y / np.sqrt((x @ FULL @ x) * (y @ FULL @ y)), rel=1e-12)


def test_the_root_of_a_covariance_is_one():
    covariance = Covariance.of(FULL)
    np.testing.assert_allclose(covariance.root @ covariance.root.T, FULL, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(covariance.inverse_root @ covariance.root, np.eye(D), atol=1e-12)
