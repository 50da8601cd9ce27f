"""What makes the sphere fast changes no value: inner tables, short series, what is remembered."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sumabm import sphere
from sumabm.sphere import kernels, series, tables
from sumabm.sphere.tables import INNER, OUTER, WITHIN, table_of

LAWS = [(2, 0.0), (2, 3.0), (2.5, 1e15), (10, 5.0), (100, 80.0), (1e3, 1e6), (1e9, 0.0)]
MOMENTS = {
    "mean_cosine": lambda d, x: sphere.mean_cosine(d, x),
    "nats": lambda d, x: sphere.nats(d, kappa=x),
    "concentration": lambda d, x: sphere.concentration(d, nats=x),
    "cosine_from_nats": lambda d, x: sphere.cosine_from_nats(d, x),
    "divergence_from_nats": lambda d, x: sphere.divergence_from_nats(d, x),
}


def forget():
    table_of.cache_clear()
    kernels.law_of.cache_clear()


@pytest.mark.parametrize(("d", "kappa"), LAWS)
def test_the_inner_table_is_the_outer_one_as_far_as_it_is_used(d, kappa):
    inner, outer, short = (table_of(float(d), kappa, reach) for reach in (INNER, OUTER, 8.0))
    assert np.all(np.isin(inner.u, outer.u))
    assert min(-inner.logit[0], inner.logit[-1]) > 1.5 * WITHIN
    for side in (-1.0, 1.0):
        logit = side * np.linspace(0.0, WITHIN, 401)
        u = outer.u_at(logit)
        error = np.abs(inner.u_at(logit) - u) / np.maximum(np.abs(u), inner.u[-1])
        assert error.max() < 2e-15
        assert np.abs(inner.logit_at(u) - outer.logit_at(u)).max() < 1e-14 * WITHIN
        # a control that must fail: a table that ends too soon
        wrong = np.abs(short.u_at(logit) - u) / np.maximum(np.abs(u), inner.u[-1])
        assert wrong.max() > 1e-6


@pytest.mark.parametrize(("d", "kappa"), LAWS)
def test_rows_beyond_the_inner_table_leave_the_others_alone(d, kappa):
    edge = [WITHIN, np.nextafter(WITHIN, 99.0), -WITHIN, np.nextafter(-WITHIN, -99.0)]
    logit = np.array([0.3, *edge, 70.0, -300.0, 700.0, -800.0, np.inf, -np.inf, 12.0])
    phi = sphere.divergence_quantile(d, kappa, logit=logit)
    back = sphere.cosine_logit(d, kappa, divergence=phi)
    many = np.tile(logit, 80)  # more than a table has nodes
    assert np.array_equal(sphere.divergence_quantile(d, kappa, logit=many), np.tile(phi, 80))
    assert np.array_equal(sphere.cosine_logit(d, kappa, divergence=np.tile(phi, 80))[-12:], back)
    for i in range(logit.size):
        assert sphere.divergence_quantile(d, kappa, logit=logit[i]) == phi[i]
        assert sphere.divergence_quantile(d, [kappa], logit=logit[[i]]) == phi[[i]]
        assert sphere.cosine_logit(d, kappa, divergence=phi[i]) == back[i]
    assert np.all(np.diff(phi[np.argsort(logit)]) <= 0.0)


@pytest.mark.parametrize("name", MOMENTS)
def test_numbers_come_out_as_in_arrays(name):
    function = MOMENTS[name]
    x = np.array([0.0, 1e-300, 1e-9, 0.7, 30.0, 374.0, 375.5, 1e4, 1e200, np.inf])
    for d in (2.0, 3.5, 99.0, 100.0, 101.0, 750.0, 752.0, 1e9):
        whole = function(d, x)
        assert np.array_equal(function(np.full(10, d), x), whole)
        for given, expected in zip(x, whole, strict=True):
            found = function(d, float(given))
            assert isinstance(found, np.float64)
            assert found == expected
            assert function(int(d) if d.is_integer() else d, [[given]]).tolist() == [[expected]]


@pytest.mark.parametrize("table", [series.MEAN, series.CONCENTRATION, series.NATS])
def test_few_terms_do_where_they_are_taken(table):
    x = np.linspace(0.0, 1.0, 201)
    below = np.full_like(x, np.nextafter(series.SMALL, 0.0))
    few = series._evaluate(table[: series.FEW], x, below)
    assert np.array_equal(few, series.evaluate(table, x, below))
    at = np.full_like(x, series.SMALL)
    left = series._evaluate(table[series.FEW :], x, at) * series.SMALL**series.FEW
    assert np.abs(left * series.SMALL).max() < 1e-18  # a mean cosine has it times h
    assert np.array_equal(series._evaluate(table, x, at), series.evaluate(table, x, at))
    # a control that must fail: three terms fewer
    fewer = series._evaluate(table, x, at) - series._evaluate(table[: series.FEW - 3], x, at)
    assert np.abs(fewer * series.SMALL).max() > 1e-15


def asked(seed):
    """Return what three laws, in an order of the seed's, make of quantiles."""
    found = {}
    for i in np.random.default_rng(seed).permutation(3).tolist():
        kappa = sphere.concentration(100, nats=5.0 + i)
        phi = sphere.divergence_quantile(100, kappa, logit=[0.1, -2.0, 50.0])
        found[i] = [kappa, sphere.cosine_from_nats(100, 5.0 + i), *phi]
    return [found[i] for i in range(3)]


def test_what_is_remembered_is_what_was_found():
    forget()
    first = asked(0)
    assert asked(1) == first
    assert kernels.law_of.cache_info().hits > 0
    assert table_of.cache_info().hits > 0
    forget()
    assert asked(2) == first


def test_what_is_remembered_is_bounded():
    forget()
    for nats in np.linspace(1.0, 2.0, 2000).tolist():
        sphere.concentration(200, nats=nats)
    for kappa in range(tables.REMEMBERED + 20):
        sphere.cosine_quantile(5, kappa, 0.5)
    assert kernels.law_of.cache_info().currsize == kernels.REMEMBERED
    assert table_of.cache_info().currsize == tables.REMEMBERED


def test_threads_find_the_same():
    forget()
    expected = asked(0)
    forget()
    with ThreadPoolExecutor(8) as pool:
        assert all(found == expected for found in pool.map(asked, range(64)))
