"""What a proxy is worth: closed forms against sums and integrals that don't share them."""

import numpy as np
import pytest
from scipy import integrate

from sumabm import theory


@pytest.mark.parametrize(("s", "rho"), [(0.5, 0.0), (1.0, -0.9), (3.0, 0.6), (0.7, -0.7)])
def test_proxy_alignment_is_a_correlation(s, rho):
    covariance = np.array([[1.0, rho * s], [rho * s, s * s]])
    truth, proxy = np.array([1.0, 0.0]), np.array([1.0, 1.0])
    lengths = np.sqrt((truth @ covariance @ truth) * (proxy @ covariance @ proxy))
    expected = truth @ covariance @ proxy / lengths
    assert float(theory.proxy_alignment(s, rho)) == pytest.approx(expected, rel=1e-13)


def test_an_opposed_error_turns_the_proxy_against_the_truth():
    assert theory.proxy_gain(1.0, 2.0, -0.9) < 0.0
    assert np.isnan(theory.proxy_alignment(1.0, -1.0))
    assert float(theory.proxy_gain(2.0, 1.0)) == pytest.approx(np.sqrt(2.0))


def ball_by_integral(d, beta):
    """Return E[s_1] and the nats of a tilt of the uniform law on the ball by β s_1."""

    def moment(k):
        def integrand(t):
            return t**k * (1.0 - t * t) ** (0.5 * (d - 1.0)) * np.exp(beta * (t - 1.0))

        return integrate.quad(integrand, -1.0, 1.0, epsabs=0.0, epsrel=1e-12)[0]

    base = integrate.quad(lambda t: (1.0 - t * t) ** (0.5 * (d - 1.0)), -1.0, 1.0, epsrel=1e-12)[0]
    mean = moment(1) / moment(0)
    return mean, beta * (mean - 1.0) - np.log(moment(0) / base)


@pytest.mark.parametrize("d", [1, 2, 3, 10])
@pytest.mark.parametrize("beta", [0.1, 1.0, 12.0])
def test_a_ball_is_the_shadow_of_a_sphere(d, beta):
    mean, nats = ball_by_integral(d, beta)
    assert float(theory.ball_gain(d, nats)) == pytest.approx(mean, rel=1e-9)
    assert abs(float(theory.ball_gain(d + 1, nats)) - mean) > 1e-3 * mean


@pytest.mark.parametrize("beta", [0.01, 0.05, 0.0999, 0.1001, 1.0, 30.0, 300.0])
def test_a_box_factorises(beta):
    u = np.array([1.0, -0.3])
    mean, nats = theory.box_tilt(u, beta)
    expected, cost = [], 0.0
    for x in beta * u:
        z, m = (
            integrate.quad(
                lambda s, x=x, k=k: s**k * np.exp(x * s - abs(x)),
                -1.0,
                1.0,
                points=[np.sign(x) * (1.0 - 10.0 / max(beta, 20.0))],
                epsrel=1e-12,
            )[0]
            for k in (0, 1)
        )
        expected.append(m / z)
        cost += x * m / z - abs(x) - np.log(0.5 * z)
    np.testing.assert_allclose(mean, expected, rtol=1e-9)
    assert float(nats) == pytest.approx(cost, rel=1e-8, abs=1e-14)


def test_a_box_tilted_a_little_and_a_lot():
    u = np.array([1.0, 0.1])
    mean, nats = theory.box_tilt(u, np.array([0.0, 1e-8, 1e8]))
    np.testing.assert_allclose(mean[1], 1e-8 * u / 3.0, rtol=1e-12)
    np.testing.assert_allclose(nats[:2], [0.0, 1e-16 * (u @ u) / 6.0], rtol=1e-12)
    np.testing.assert_allclose(mean[2], [1.0, 1.0], atol=1e-6)
    assert nats[2] == pytest.approx(np.log(2e8) + np.log(2e7) - 2.0, rel=1e-9)


def test_out_of_range_is_refused():
    for bad in (
        lambda: theory.proxy_alignment(-1.0),
        lambda: theory.proxy_alignment(1.0, 1.5),
        lambda: theory.proxy_gain(-1.0, 1.0),
        lambda: theory.ball_gain(0.0, 1.0),
        lambda: theory.ball_gain(2.0, -1.0),
    ):
        with pytest.raises(ValueError, match="must"):
            bad()
