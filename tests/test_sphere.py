"""The sphere against 40-digit references, quadrature, special functions and its own theory."""

import json
import math
import warnings
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from sumabm import sphere

TABLE = Path(__file__).parent / "reference" / "sphere_reference.json"
ROWS = json.loads(TABLE.read_text(encoding="utf-8"))["rows"]
TOLERANCE = 1e-12

DIMENSIONS = st.floats(0.0, 1.0).map(lambda x: 2.0 * 5e8**x)
EXPONENTS = st.floats(-12.0, -0.01)


def relative_error(value, expected):
    return abs(float(value) / float(expected) - 1.0)


def smaller(c, phi):
    """Return the argument, by name, that carries the information."""
    return {"divergence": phi} if phi < c else {"cosine": c}


def standard_deviation(d, kappa):
    """Return that of the cosine, by the Riccati equation for its variance A'."""
    with mpmath.workdps(60):
        nu = mpmath.mpf(d) / 2 - 1
        a = mpmath.besseli(nu + 1, kappa) / mpmath.besseli(nu, kappa) if kappa else mpmath.mpf(0)
        ratio = a / kappa if kappa else mpmath.mpf(1) / d
        return float(mpmath.sqrt(1 - a * a - (d - 1) * ratio))


# ---- moments --------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"d={row['d']}-c={row['c']}")
def test_reference_rows(row):
    d, c, phi, kappa, nats = (float(row[key]) for key in ("d", "c", "phi", "kappa", "nats"))
    given_mean = smaller(c, phi)
    if phi < c:
        means = sphere.divergence(d, kappa), sphere.divergence_from_nats(d, nats), phi
    else:
        means = sphere.mean_cosine(d, kappa), sphere.cosine_from_nats(d, nats), c
    assert relative_error(means[0], means[2]) < TOLERANCE
    assert relative_error(means[1], means[2]) < TOLERANCE
    assert relative_error(sphere.nats(d, **given_mean), nats) < TOLERANCE
    assert relative_error(sphere.nats(d, kappa=kappa), nats) < TOLERANCE
    assert relative_error(sphere.concentration(d, **given_mean), kappa) < TOLERANCE
    assert relative_error(sphere.concentration(d, nats=nats), kappa) < TOLERANCE


@pytest.mark.parametrize("d", [2, 2.5, 3, 7, 20, 50, 99.5, 101, 102, 300, 1000])
@pytest.mark.parametrize("ratio", [1e-12, 1e-3, 0.3, 1.0, 3.0, 20.0, 1e4, 1e12])
def test_moments_against_arbitrary_precision(d, ratio):
    kappa = ratio * d
    with mpmath.workdps(70):
        nu = mpmath.mpf(d) / 2 - 1
        low = mpmath.besseli(nu, kappa)
        mean = mpmath.besseli(nu + 1, kappa) / low
        log_f = mpmath.loggamma(nu + 1) - nu * mpmath.log(mpmath.mpf(kappa) / 2) + mpmath.log(low)
        nats, phi = kappa * mean - log_f, 1 - mean
    assert relative_error(sphere.nats(d, kappa=kappa), nats) < 1e-13
    if phi < mean:
        assert relative_error(sphere.divergence(d, kappa), phi) < 1e-13
        assert relative_error(sphere.divergence_from_nats(d, float(nats)), phi) < TOLERANCE
    else:
        assert relative_error(sphere.mean_cosine(d, kappa), mean) < 1e-13
        assert relative_error(sphere.cosine_from_nats(d, float(nats)), mean) < TOLERANCE


@pytest.mark.parametrize("radius", [99.999, 100.001])
def test_moments_where_the_expansions_are_at_their_worst(radius):
    """On either side of the circle hypot(d - 1, 2 kappa) = 100: at small m, and at small kappa."""
    for angle in np.linspace(0.02, 1.5, 16):
        d, kappa = 1.0 + radius * math.cos(angle), 0.5 * radius * math.sin(angle)
        with mpmath.workdps(40):
            nu = mpmath.mpf(d) / 2 - 1
            mean = mpmath.besseli(nu + 1, kappa) / mpmath.besseli(nu, kappa)
            divergence = 1 - mean
        assert relative_error(sphere.mean_cosine(d, kappa), mean) < 1e-14
        assert relative_error(sphere.divergence(d, kappa), divergence) < 1e-14


@settings(max_examples=150, deadline=None)
@given(d=DIMENSIONS, exponent=EXPONENTS, aligned=st.booleans())
def test_inverses_undo(d, exponent, aligned):
    x = min(10.0**exponent, 0.5)
    argument = {"divergence": x} if aligned else {"cosine": x}
    mean = sphere.divergence if aligned else sphere.mean_cosine
    back = sphere.divergence_from_nats if aligned else sphere.cosine_from_nats
    kappa, nats = sphere.concentration(d, **argument), sphere.nats(d, **argument)
    assert mean(d, kappa) == pytest.approx(x, rel=1e-12)
    # a float of the nats carries log(1 - c^2) to nats / d roundings only
    assert back(d, nats) == pytest.approx(x, rel=1e-12)
    assert sphere.concentration(d, nats=nats) == pytest.approx(kappa, rel=1e-12)
    assert sphere.nats(d, kappa=kappa) == pytest.approx(nats, rel=1e-12)


@settings(max_examples=100, deadline=None)
@given(d=DIMENSIONS, exponent=EXPONENTS, aligned=st.booleans())
def test_slope_of_nats_is_kappa(d, exponent, aligned):
    x = min(10.0**exponent, 0.5)
    name, sign = ("divergence", -1.0) if aligned else ("cosine", 1.0)
    step = 1e-4 * x
    above, below = (sphere.nats(d, **{name: x + s}) for s in (step, -step))
    slope = sign * (above - below) / (2.0 * step)
    # the differences lose eps * nats / (kappa step); the third derivative adds 1e-8
    kappa = sphere.concentration(d, **{name: x})
    lost = 4e-16 * float(above) / (kappa * step)
    assert slope == pytest.approx(kappa, rel=1e-7 + 10.0 * lost)


def test_large_dimension_closed_form():
    d, c = 1e9, np.array([1e-3, 0.1, 0.5, 0.9, 0.999])
    closed = -0.5 * d * np.log1p(-(c**2)) + 0.5 * np.log1p(-(c**4))
    assert np.all(np.abs(sphere.nats(d, c) - closed) < 1e-9 + 1e-14 * closed)


def test_moments_at_the_limits():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for d in (2, 3, 50, 1e4, 1e9):
            assert sphere.mean_cosine(d, 0) == 0.0
            assert sphere.divergence(d, 0) == 1.0
            assert sphere.mean_cosine(d, np.inf) == 1.0
            assert sphere.divergence(d, np.inf) == 0.0
            assert sphere.concentration(d, 0.0) == sphere.concentration(d, nats=0) == 0.0
            assert sphere.concentration(d, divergence=1.0) == 0.0
            assert sphere.concentration(d, 1.0) == sphere.concentration(d, nats=np.inf) == np.inf
            assert sphere.concentration(d, divergence=0.0) == np.inf
            assert sphere.nats(d, 0.0) == sphere.nats(d, kappa=0) == 0.0
            assert sphere.nats(d, 1.0) == sphere.nats(d, kappa=np.inf) == np.inf
            assert sphere.cosine_from_nats(d, 0) == 0.0
            assert sphere.cosine_from_nats(d, np.inf) == 1.0
            assert sphere.divergence_from_nats(d, [0, np.inf]).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("d", [2, 3, 50, 1e4])
def test_moments_far_out(d):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert sphere.concentration(d, 1e-300) == pytest.approx(d * 1e-300, rel=1e-12)
        assert sphere.mean_cosine(d, 1e-300 * d) == pytest.approx(1e-300, rel=1e-12)
        far = (d - 1) / 2e-300
        assert sphere.concentration(d, divergence=1e-300) == pytest.approx(far, rel=1e-12)
        assert sphere.divergence(d, far) == pytest.approx(1e-300, rel=1e-12)
        nats = sphere.nats(d, divergence=1e-300)
        assert nats == pytest.approx(sphere.nats(d, kappa=far), rel=1e-12)
        assert sphere.divergence_from_nats(d, nats) == pytest.approx(1e-300, rel=1e-10)
        assert sphere.cosine_from_nats(d, 1e-250) == pytest.approx(math.sqrt(2e-250 / d), rel=1e-12)
        assert sphere.divergence_from_nats(d, 1e300) == 0.0


def test_moments_are_monotone():
    exponents = np.linspace(-12.0, 12.0, 20_001)
    for d in (2, 3, 10, 60, 100.9, 101.1, 1e3, 1e9):
        kappa = d * 10.0**exponents
        assert np.all(np.diff(sphere.mean_cosine(d, kappa)) >= 0)
        assert np.all(np.diff(sphere.divergence(d, kappa)) <= 0)
        assert np.all(np.diff(sphere.nats(d, kappa=kappa)) > 0)


def test_shapes_and_types():
    assert isinstance(sphere.mean_cosine(3, 1), np.float64)
    assert isinstance(sphere.cosine_quantile(3, 1, 0.5), np.float64)
    assert sphere.nats(np.full((2, 1), 5.0), np.full(3, 0.5)).shape == (2, 3)
    assert sphere.mean_cosine(3, []).shape == (0,)
    assert sphere.cosine_quantile(3, [[1.0], [2.0]], [0.1, 0.5, 0.9]).shape == (2, 3)
    assert sphere.cosine_quantile(3, 1.0, []).shape == (0,)
    assert sphere.cosine_cdf([3, 4], [1.0, 2.0], divergence=0.5).shape == (2,)


# ---- values do not depend on their neighbours ------------------------------------------------


def calls():
    rng = np.random.default_rng(7)
    n = 1301
    d = np.where(rng.random(n) < 0.5, rng.uniform(2, 110, n), 10.0 ** rng.uniform(0.4, 9, n))
    x = 10.0 ** rng.uniform(-12, 0, n)
    kappa = d * 10.0 ** rng.uniform(-6, 6, n)
    nats = 10.0 ** rng.uniform(-12, 3, n)
    q = rng.random(n)
    return {
        "mean_cosine": lambda i: sphere.mean_cosine(d[i], kappa[i]),
        "divergence": lambda i: sphere.divergence(d[i], kappa[i]),
        "concentration-cosine": lambda i: sphere.concentration(d[i], x[i]),
        "concentration-divergence": lambda i: sphere.concentration(d[i], divergence=x[i]),
        "concentration-nats": lambda i: sphere.concentration(d[i], nats=nats[i]),
        "nats-cosine": lambda i: sphere.nats(d[i], x[i]),
        "nats-divergence": lambda i: sphere.nats(d[i], divergence=x[i]),
        "nats-kappa": lambda i: sphere.nats(d[i], kappa=kappa[i]),
        "cosine_from_nats": lambda i: sphere.cosine_from_nats(d[i], nats[i]),
        "divergence_from_nats": lambda i: sphere.divergence_from_nats(d[i], nats[i]),
        "cosine_quantile": lambda i: sphere.cosine_quantile(20, 33.0, q[i]),
        "divergence_quantile": lambda i: sphere.divergence_quantile(2, 3.0, q[i]),
        "divergence_quantile-kappa": lambda i: sphere.divergence_quantile(
            9, np.floor(5 * x[i]), q[i]
        ),
        "cosine_cdf": lambda i: sphere.cosine_cdf(7, 2.0, 2 * q[i] - 1),
        "cosine_cdf-divergence": lambda i: sphere.cosine_cdf(7, 2.0, divergence=2 * q[i]),
    }


@pytest.mark.parametrize("name", calls())
def test_values_do_not_depend_on_their_neighbours(name):
    call = calls()[name]
    whole = call(slice(None))
    for part in (slice(0, 7), slice(5, 12), slice(1, None), slice(100, 1003), slice(3, -2)):
        assert np.array_equal(call(part), whole[part])
    assert np.array_equal(call(slice(None, None, 3)), whole[::3])
    assert np.array_equal([call(i) for i in range(60)], whole[:60])


def test_values_do_not_depend_on_the_block():
    d, x = np.geomspace(2, 1e9, 30_011), np.geomspace(1e-12, 0.9, 30_011)
    whole = sphere.nats(d, x)
    for part in (slice(12_000, 12_700), slice(24_570, None)):
        assert np.array_equal(sphere.nats(d[part], x[part]), whole[part])


def test_sampled_rows_do_not_depend_on_their_neighbours():
    rng = np.random.default_rng(3)
    for d in (2, 3, 17, 130):
        mean = np.zeros(d)
        mean[0] = 1.0
        q, tangent = rng.random(41), rng.standard_normal((41, d))
        whole = sphere.sample(mean, 5.0, q, tangent)
        assert np.array_equal(sphere.sample(mean, 5.0, q[7:20], tangent[7:20]), whole[7:20])
        rows = [sphere.sample(mean, 5.0, q[i], tangent[i]) for i in range(41)]
        assert np.array_equal(rows, whole)


# ---- quantiles -------------------------------------------------------------------------------

TAIL = 10.0 ** np.linspace(-12, -1, 12)
LEVELS = np.concatenate([TAIL, np.linspace(0.15, 0.85, 15), 1 - TAIL[::-1]])
LOOSE, TIGHT = 1e-7, 1e-9  # of a standard deviation, below and from ten dimensions
ULP = 4.5e-16  # of a divergence near 2


def spread(d, kappa):
    return np.subtract(*sphere.divergence_quantile(d, kappa, [0.16, 0.84])) / 2


@pytest.mark.parametrize("d", [2, 2.5, 3, 5, 10, 50, 1e4, 1e8])
def test_uniform_quantiles_against_beta(d):
    half = (d - 1) / 2
    phi = sphere.divergence_quantile(d, 0, LEVELS)
    above = special.betainc(half, half, phi / 2)  # probability of a smaller divergence
    below = special.betainc(half, half, 1 - phi / 2)
    error = np.where(LEVELS < 0.5, below - LEVELS, (1 - LEVELS) - above)
    with np.errstate(divide="ignore"):
        density = (phi * (2 - phi)) ** (half - 1) / special.beta(half, 0.5) if d < 100 else (
            np.exp((half - 1) * np.log1p(-((1 - phi) ** 2)) - special.betaln(half, 0.5))
        )  # fmt: skip
    tolerance = (LOOSE if d < 10 else TIGHT) * spread(d, 0) + ULP
    # at d = 2 a divergence rounded to 2 stands for every smaller probability
    sharp = 2 - phi > 1e-8
    assert np.all(np.abs(error / density)[sharp] < tolerance)
    assert np.all(below[~sharp] < LEVELS[~sharp] + 1e-8)


def tail_by_quadrature(d, kappa):
    """Return w -> probability of log(phi / (2 - phi)) > w, and its density, on a fine common grid.

    In w the log density is smooth whatever kappa is; the grid is exact in all but name.
    """
    half = (d - 1) / 2
    root = math.hypot(half, kappa)
    mode = half / (half + root) * (1 + half / (kappa + root))

    def density(w):
        phi, rest = 2 / (1 + np.exp(-w)), 2 / (1 + np.exp(w))
        logs = half * (np.log(phi / mode) + np.log(rest / (2 - mode)))
        return np.exp(logs - kappa * (phi - mode))

    centre, width = math.log(mode / (2 - mode)), 1 / math.sqrt(half)
    reach = 12 * width + 40 / half
    edges = centre + np.linspace(-reach, reach, 4001)
    points, weights = np.polynomial.legendre.leggauss(20)
    step = edges[1] - edges[0]

    def piece(a, b):
        return (b - a) / 2 * (density((a + b) / 2 + (b - a) / 2 * points) @ weights)

    cells = np.array([piece(a, a + step) for a in edges[:-1]])
    total = math.fsum(cells)

    def tail(w):
        cell = np.searchsorted(edges, w)
        return (piece(w, edges[cell]) + math.fsum(cells[cell:])) / total

    return tail, lambda w: density(w) / total


@pytest.mark.parametrize(
    ("d", "kappa"),
    [
        *((2, 1.0), (2, 3.0), (2, 12.0), (2, 15.0), (2, 1e12), (3, 15.0), (5, 2.0), (7, 5.0)),
        *((10, 1.0), (10, 100.0), (33, 7.0), (50, 1e9), (1000, 300.0), (1e6, 1e6)),
    ],
)
def test_quantiles_against_quadrature(d, kappa):
    tail, density = tail_by_quadrature(d, kappa)
    tolerance = (LOOSE if d < 10 else TIGHT) * spread(d, kappa)
    levels = np.array([1e-12, 1e-9, 1e-6, 1e-3, 0.03, 0.2, 0.5, 0.9, 1 - 1e-4])
    for level, phi in zip(levels, sphere.divergence_quantile(d, kappa, levels), strict=True):
        if 2 - phi < 1e-8:
            continue  # at d = 2 a divergence rounded to 2 stands for every smaller probability
        w = math.log(phi / (2 - phi))
        error = (tail(w) - level) / density(w) * phi * (2 - phi) / 2
        assert abs(error) < tolerance + ULP * phi


@pytest.mark.parametrize(
    ("d", "kappa"), [(2, 0), (2, 3), (2, 24), (3, 20), (10, 5), (1e3, 300), (1e6, 1e6), (20, 1e18)]
)
def test_distribution_inverts_quantile(d, kappa):
    q = np.concatenate([10.0 ** np.linspace(-14, -1, 50), np.linspace(0.1, 0.99, 90)])
    phi = sphere.divergence_quantile(d, kappa, q)
    sharp = 2 - phi > 1e-8  # one rounded to 2 stands for every smaller probability
    back = sphere.cosine_cdf(d, kappa, divergence=phi)
    assert back[sharp] == pytest.approx(q[sharp], rel=1e-6)
    again = sphere.divergence_quantile(d, kappa, sphere.cosine_cdf(d, kappa, divergence=phi))
    assert np.max(np.abs(again - phi)[sharp]) < 1e-8 * spread(d, kappa)
    c = sphere.cosine_quantile(d, kappa, q)
    if kappa <= 1e6:
        assert sphere.cosine_cdf(d, kappa, c)[sharp] == pytest.approx(q[sharp], rel=1e-6, abs=1e-8)


def test_distribution_at_large_dimension():
    """cdf of the uniform law at d = 1e9 is normal in c sqrt(d) to 1/d."""
    c = np.linspace(-4, 4, 17) / math.sqrt(1e9)
    assert sphere.cosine_cdf(1e9, 0, c) == pytest.approx(special.ndtr(c * math.sqrt(1e9)), abs=1e-8)


def test_quantiles_at_the_limits():
    q = [0.0, 1e-320, 1e-300, 1e-16, 0.5, 1 - 1.2e-16, 1.0]
    for d in (2, 3, 50, 1e9):
        assert sphere.cosine_quantile(d, np.inf, q).tolist() == [1.0] * 7
        assert sphere.divergence_quantile(d, np.inf, q).tolist() == [0.0] * 7
        assert sphere.cosine_cdf(d, np.inf, [-1, 0.999, 1]).tolist() == [0.0, 0.0, 1.0]
        assert sphere.cosine_cdf(d, np.inf, divergence=[0.0, 1e-300]).tolist() == [1.0, 0.0]
        for kappa in (0.0, 1e-300, 1.0, 1e20, 1e300):
            c, phi = sphere.cosine_quantile(d, kappa, q), sphere.divergence_quantile(d, kappa, q)
            assert (c[0], c[-1], phi[0], phi[-1]) == (-1.0, 1.0, 2.0, 0.0)
            assert np.all(np.diff(c) >= 0)
            assert np.all(np.diff(phi) <= 0)
            assert sphere.cosine_cdf(d, kappa, [-1.0, 1.0]).tolist() == [0.0, 1.0]
    # d = 3 has the closed form 1 - c = -log(q) / kappa at large kappa
    deep = sphere.divergence_quantile(3, 1e20, [1e-300, 1e-16, 0.5]) * 1e20
    assert deep == pytest.approx(-np.log([1e-300, 1e-16, 0.5]), rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(d=DIMENSIONS, exponent=st.floats(-3.0, 9.0), seed=st.integers(0, 1000))
def test_quantiles_are_monotone(d, exponent, seed):
    q = np.sort(np.random.default_rng(seed).random(200))
    kappa = d * 10.0**exponent
    phi, more = (sphere.divergence_quantile(d, k, q) for k in (kappa, 1.01 * kappa))
    assert np.all(np.diff(phi) <= 1e-15 * phi[:-1])
    assert np.all(np.diff(sphere.cosine_quantile(d, kappa, q)) >= -3e-16)
    assert np.all(more <= phi)


def test_many_concentrations_in_one_call():
    q, kappa = np.random.default_rng(5).random(60), np.repeat([0.0, 2.0, 5.0, np.inf], 15)
    together = sphere.cosine_quantile(6, kappa, q)
    for k in (0.0, 2.0, 5.0, np.inf):
        assert np.array_equal(together[kappa == k], sphere.cosine_quantile(6, k, q[kappa == k]))


# ---- vectors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("d", "kappa"), [(2, 1.0), (3, 0.0), (10, 8.0), (200, 300.0)])
def test_sample_mean_cosine(d, kappa):
    n = 20_000
    mean = np.full(d, 1.0 / math.sqrt(d))
    x = sphere.sample_vectors(mean, kappa, n, np.random.default_rng(11))
    assert x.shape == (n, d)
    assert np.allclose(np.vecdot(x, x), 1.0, rtol=1e-13)
    error = standard_deviation(d, kappa) / math.sqrt(n)
    cosine = np.mean(x @ mean)
    assert abs(cosine - sphere.mean_cosine(d, kappa)) < 4 * error
    # a control that must fail: the mean cosine of a neighbouring law
    assert abs(cosine - sphere.mean_cosine(d, 1.3 * kappa + 0.3)) > 4 * error
    # the directions around the mean are uniform
    across = x - np.outer(x @ mean, mean)
    assert np.linalg.norm(across.mean(axis=0)) < 4 * math.sqrt(np.mean(across**2) * d / n)


def test_sample_keeps_tiny_angles():
    mean, tangent = np.array([0.0, 1.0, 0.0]), np.array([[1.0, 5.0, 0.0]])
    x = sphere.sample(mean, 1e24, [0.5], tangent)
    assert x[0, 1] == 1.0
    assert x[0, 0] == pytest.approx(math.sqrt(2 * math.log(2) / 1e24), rel=1e-8)


# ---- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sphere.mean_cosine(1.5, 1), "d must be a finite number .* got 1.5"),
        (lambda: sphere.mean_cosine(np.nan, 1), "d must .* got nan"),
        (lambda: sphere.divergence(np.inf, 1), "d must .* got inf"),
        (lambda: sphere.mean_cosine(3, [1, -2]), "kappa must be 0 or more; got -2.0"),
        (lambda: sphere.mean_cosine(3, np.nan), "kappa must be 0 or more; got nan"),
        (lambda: sphere.concentration(3), "exactly one of cosine, divergence, nats; got none"),
        (lambda: sphere.concentration(3, 0.5, nats=1), "exactly one .* got cosine, nats"),
        (lambda: sphere.concentration(3, -0.1), r"cosine must lie in \[0, 1\]; got -0.1"),
        (lambda: sphere.concentration(3, nats=-1), "nats must be 0 or more; got -1"),
        (lambda: sphere.nats(3, divergence=1.1), r"divergence must lie in \[0, 1\]; got 1.1"),
        (lambda: sphere.nats(3, 0.5, kappa=1), "exactly one .* got cosine, kappa"),
        (lambda: sphere.cosine_from_nats(3, np.nan), "nats must be 0 or more; got nan"),
        (lambda: sphere.divergence_from_nats(0, 1), "d must .* got 0.0"),
        (lambda: sphere.cosine_quantile(3, 1, 1.5), r"q must lie in \[0, 1\]; got 1.5"),
        (lambda: sphere.divergence_quantile(3, -1, 0.5), "kappa must .* got -1.0"),
        (lambda: sphere.cosine_cdf(3, 1), "exactly one of cosine, divergence; got none"),
        (lambda: sphere.cosine_cdf(3, 1, -1.5), r"cosine must lie in \[-1, 1\]; got -1.5"),
        (lambda: sphere.cosine_cdf(3, 1, divergence=3), r"divergence must lie in \[0, 2\]; got 3"),
        (lambda: sphere.sample([1.0, 0.0], 1, 0.5, [1.0, 2.0, 3.0]), "same last axis; got"),
        (lambda: sphere.sample([1.0], 1, 0.5, [1.0]), "d must .* got 1.0"),
        (lambda: sphere.sample([1.0, 0.0], 1, 0.5, [2.0, 0.0]), "tangent must not be zero"),
    ],
)
def test_errors_say_the_name_the_rule_and_the_value(call, words):
    with pytest.raises(ValueError, match=words):
        call()
