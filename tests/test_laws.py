"""Laws of one quantity: their quadrature against SciPy's integrals, scores, grading, cuts."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate
from scipy.special import ndtr

from sumabm.laws import Exponential, GaussianLaw, Laplace, Panels, Pareto, StudentT

LAWS = [GaussianLaw(scale=2.0), StudentT(df=2.5), Laplace(scale=0.3), Exponential(), Pareto()]


def one_name(law):
    return law.kind


@pytest.mark.parametrize("law", LAWS, ids=one_name)
def test_panels_integrate_a_tilted_law(law):
    def tilted(x):
        return law.density(np.asarray(x)) * np.exp(-np.square(x / law.scale - 1.0) / 8.0)

    edges = law.edges(32)
    panels = Panels.between(edges)
    found = (panels.weights * tilted(panels.nodes)).sum()
    exact = sum(
        integrate.quad(tilted, a, b, epsabs=0.0, epsrel=1e-12)[0]
        for a, b in pairwise(edges)
        if tilted(0.5 * (a + b)) > 1e-200
    )
    assert found == pytest.approx(exact, rel=1e-10)
    wide = Panels.between(1.01 * edges)
    assert abs((wide.weights * tilted(panels.nodes)).sum() / exact - 1.0) > 1e-3


@pytest.mark.parametrize("law", LAWS, ids=one_name)
def test_edges_reach_from_cut_to_cut(law):
    edges = law.edges(8)
    top = law.scale * law.cut
    assert edges[-1] == pytest.approx(top)
    assert edges[0] == pytest.approx(-top if law.symmetric else law.scale * law.low)
    if law.symmetric:
        assert edges[4] == 0.0


@pytest.mark.parametrize("law", LAWS, ids=one_name)
def test_scores_are_normal_quantiles_in_both_tails(law):
    x = law.edges(64)[1:-1]
    scores, standard = law.scores(x), law.standard()
    there = np.abs(scores) < 8.0
    np.testing.assert_allclose(ndtr(scores), standard.cdf(x / law.scale), rtol=1e-9)
    np.testing.assert_allclose(ndtr(-scores)[there], standard.sf(x / law.scale)[there], rtol=1e-9)


def test_heavy_tails_are_heavy():
    x = np.array([100.0, 200.0])
    for law, fall in ((StudentT(df=3.0), 2.0**-4), (Pareto(index=1.5), 2.0**-2.5)):
        ratio = law.density(x)[1] / law.density(x)[0]
        assert ratio == pytest.approx(fall, rel=1e-3)
    assert Laplace().density(x)[1] / Laplace().density(x)[0] == pytest.approx(np.exp(-100.0))
