"""Deception: the equations solved, the limits joined, and what is refused."""

import numpy as np
import pytest

from sumabm import sphere, theory


@pytest.mark.parametrize("masked", [1e-8, 1e-3, 0.1, 1.0, 30.0, 1e5])
def test_concentration_solves_its_equation(masked):
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        k = mpmath.mpf(float(theory.masked_concentration(masked)))
        rest = k - mpmath.log1p(2 * k) / 2 - mpmath.mpf(masked)
        slope = 2 * k / (1 + 2 * k)
        assert abs(rest / slope / k) < 1e-12


def test_concentration_follows_its_differential_equation():
    """``dk = (1 + 1/(2k)) dx`` by many small steps, without the logarithm."""
    k, step = 0.0, 1e-5
    for _ in range(100_000):
        k = np.sqrt((k + step) ** 2 + step)  # d² of |η + a² v_Y + a z|², turned onto v_Y
    assert k == pytest.approx(float(theory.masked_concentration(1.0)), rel=1e-4)
    assert k != pytest.approx(float(np.sqrt(1.0 + 1.0)), rel=1e-2)  # were edits not made


def test_ends():
    assert theory.masked_concentration([0.0, np.inf])[0] == 0.0
    assert theory.masked_concentration(1e300) == pytest.approx(1e300)
    assert theory.masked_concentration(np.inf) > 1e306
    assert theory.unmasked_alignment(0.0, 1.0) == 0.0
    assert theory.unmasked_alignment(np.inf, 1.0) == 1.0
    x = np.array([0.1, 1.0, 10.0])
    np.testing.assert_allclose(theory.unmasked_alignment(x, 0.0), theory.bayesian_alignment(x))
    assert np.all(np.diff(theory.unmasked_alignment(1.0, [0.0, 0.1, 1.0, 10.0])) < 0.0)


def test_the_fooled_expect_the_mean_cosine_of_their_belief():
    for masked in (0.01, 1.0, 50.0):
        kappa = 1e8 * float(theory.masked_concentration(masked))
        exact = float(sphere.mean_cosine(1e8, kappa))
        assert theory.mistaken_alignment(masked) == pytest.approx(exact, rel=1e-6)


def test_resisting_interpolates_between_taking_all_and_nothing():
    x = np.array([0.01, 0.3, 1.0, 9.0])
    np.testing.assert_allclose(theory.resisted_looking(x, 0.0)[0], theory.bayesian_alignment(x),
                               rtol=1e-8)  # fmt: skip
    np.testing.assert_allclose(theory.resisted_looking(x, 0.0)[1], theory.bayesian_alignment(x),
                               rtol=1e-8)  # fmt: skip
    np.testing.assert_array_equal(theory.resisted_looking(x, 1.0)[0], 0.0)
    some = [theory.resisted_looking(x, share)[0] for share in (0.0, 0.3, 0.6, 0.9)]
    assert np.all(np.diff(some, axis=0) < 0.0)
    early = theory.resisted_looking(np.array([1e-6]), 0.5)[0]
    assert early[0] == pytest.approx(2 * 0.5 / 1.25 * 1e-3, rel=2e-3)
    np.testing.assert_allclose(theory.resisted_alignment(9, 4.0, 0.25), theory.alignment(9, 3.0))


@pytest.mark.parametrize(
    ("function", "bad", "word"),
    [
        (theory.masked_concentration, (-1.0,), "masked"),
        (theory.unmasked_alignment, (np.nan, 1.0), "seen"),
        (theory.mistaken_alignment, (-0.1,), "masked"),
        (theory.resisted_alignment, (3, 1.0, 1.1), "share"),
        (theory.resisted_looking, (np.array([0.0, 1.0]), 0.5), "x"),
    ],
)
def test_values_out_of_range_are_refused(function, bad, word):
    with pytest.raises(ValueError, match=f"^{word} must"):
        function(*bad)
