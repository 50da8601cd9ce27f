"""Every published number, against ours; each refuses a number that is plausible and wrong."""

from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

from sumabm import DiscreteWorld, theory
from sumabm.bibliography import entries
from sumabm.science import ITEMS, claims_of
from sumabm.science.bounded_rationality import CUP
from sumabm.science.claims import Checked, Claim, Estimate, check
from sumabm.science.goodhart import act, lifted, student
from sumabm.science.pools import PARENT, child_gap, gap, suppressed
from sumabm.science.table import markdown

PAGE = Path(__file__).parents[2] / "docs" / "validation.md"

pytestmark = pytest.mark.xdist_group("science")  # each number is computed once

CLAIMS = {claim.quantity: (name, claim) for name, claim in claims_of()}


@cache
def checked(quantity):
    return check(*CLAIMS[quantity])


# --- what is wrong ------------------------------------------------------------------------------


def channel():
    for d, power in ((3, 1.0), (10, 1.0), (10, 5.0)):
        at, x = f"d = {d}, O = {power:g}", 2.0 * power / d
        yield f"I(v; s), {at}: an aligner's belief", power  # all nats of the action
        yield f"I(v; s), {at}: by quadrature", theory.information_bound(d, power)
        yield f"cosine of estimate, {at}: an aligner's", np.sqrt(x)  # without the noise
        yield f"cosine of estimate, {at}: by quadrature", np.sqrt(x / (1.0 + x))  # as d → ∞
    for d, monte_carlo in ((1, 1.66592407), (2, 2.45351034), (3, 3.06515589)):
        what = f"largest R at which the sphere tells most, d = {d}"
        yield what, 1.860935682 * np.sqrt(d)  # as d → ∞
        yield f"{what}, in 25 digits", monte_carlo
    yield "that R over sqrt(d), d → ∞", 1.8609044  # d = 10⁴


def goodhart():
    for t in (1.5, 10.769900437589):
        mean, nats = lifted(t, t**-0.9)
        yield f"E[X], X ~ t₃ with t^−0.8 put above t = {t:.5g}", mean
        yield f"KL of t₃ with t^−0.8 put above t = {t:.5g}", nats
    for level, laplace in ((2, 0.9418315743), (4, 0.9996113361)):
        of = f"E[V] where V + X ≥ {level}, X "
        yield of + "t₃", laplace
        yield of + "gaussian", level / 2.0  # where V + X = level
        yield of + "laplace", 1.0  # the limit
    for cut in (10, 100):
        for which, wrong in zip("VX", act(1.01, student(cut)), strict=True):
            yield f"E[{which}], tilt at O = 1, X ~ t₃ cut at {cut}", wrong
    yield "E[V], tilt at O = 1, X ~ Exp(1)", theory.proxy_gain(1.0, 1.0)  # as if Gaussian
    yield "E[V], tilt at O = 3, X ~ N(0, 4)", theory.proxy_gain(3.0, np.sqrt(2.0))


def best_of_n():
    for n in (2, 16):
        for levels in (2, 10):  # the nats without ties
            yield f"KL of best of {n}, {levels} ranked outcomes", np.log(n) - (n - 1) / n
    yield "n that ln 2 − ½ nats buy, U ~ N(0, 1)", np.exp(np.log(2.0) - 0.5)  # ln n nats
    yield "gain of best of 2, U ~ N(0, 1)", 0.62152583302699
    yield "gain of the tilt at those nats", 0.56418958354776
    yield "V at the nats of best of 4: tilt", 0.891543149149
    yield "V at the nats of best of 4: best of n", 0.809943561464


def bounded_rationality():
    def tilted(nats):
        return DiscreteWorld([0.25] * 4).tilt(CUP, nats)

    def utility(nats):
        return float(tilted(nats).world.expect(CUP))

    yield "share of the gain at 1 bit", utility(np.log(2.0)) / CUP.max()  # of the utility
    yield "bits for 99.999 % of the best utility", 1.98
    yield "β at 1 bit", tilted(1.0).beta  # bits for nats, and so on
    yield "E[U] at 1 bit", utility(1.0)
    yield "β at 0.648204682952 nats", tilted(0.648204682952 * np.log(2.0)).beta
    yield "E[U] at 0.648204682952 nats", utility(0.648204682952 * np.log(2.0))
    yield "E[U] at 0.847779937 bits", utility(0.847779937)


def pools():
    one, two = DiscreteWorld(PARENT), DiscreteWorld.pool([DiscreteWorld(PARENT)], [2.0])
    pool = DiscreteWorld.pool([one, two], [0.5, 0.5])  # not the linear one
    yield "mean welfare gap in a linear pool", 0.5 * gap(pool, one) + 0.5 * gap(pool, two)
    yield "theorem 14: gap of the parent", gap(DiscreteWorld.pool([one], [1.6]), one)
    yield "theorem 14: gap of the child, λ = 1", child_gap(1.0)  # without the share 1 − α
    agent, linear = DiscreteWorld([0.899, 0.1, 0.001]), DiscreteWorld([0.899, 0.0505, 0.0505])
    for which in (1, 2):
        yield f"three outcomes: gap of agent {which}, both gain", gap(linear, agent)
    for direction in ((-1, 1, -1, 1), (-3, 1, 1, 1)):
        along = ", ".join(f"{h}" for h in direction).replace("-", "−")
        yield f"fall of P(A) along ({along}), O = 0.02", suppressed(direction, 0.021)


def robust():
    for power in (0.1, 1.0):  # to first order
        yield f"worst-case mean of Exp(1), O = {power:g}", 1.0 + np.sqrt(2.0 * power)
    yield "worst-case probability of an event of 10⁻⁶, O = 1", 1.0 / np.log(1e6)
    yield "nats from which it is certain", np.log2(1e6)
    yield "Jeffreys: both KL divergences over β, cup grasp", 0.648204682952 / 2.0  # one of them


def quantilizers():
    yield "nats of the best tenth", np.log(10.0) - 0.9  # of the best of 10
    yield "most that a cost can rise, as a factor, q = 0.1", 9.0
    yield "gain of the best tenth, U ~ N(0, 1)", 2.1459660262893
    yield "gain of ln 10 nats, U ~ N(0, 1)", 2.1459660262893
    yield "gain of the tilt of ln 10 nats", 1.7549833193249


def off_switch():
    for mean, noise, wrong in (
        (0, 0, 0.2066209641419),  # with noise
        (1, 0, -0.1253219496915),
        (0, 1, 0.39894228040143),  # without
        (1, 1, 0.083315470587686),
    ):
        for how in ("agents", "closed form"):
            yield f"gain by deferring, U ~ N({mean}, 1), noise {noise}: {how}", wrong
    edge = theory.deference_gain(1.0, 1.0, 1.0)  # σ² = |μ| b
    yield "gain by deferring at σ² = 2|μ|b, U ~ N(1, 1)", edge


def power_seeking():
    yield "share that avoids shutdown, k = 3, O → ∞", 2 / 3  # k − 1 of k
    yield "share that avoids shutdown, k = 3, β = 1", 0.6992
    yield "share that avoids shutdown, k = 3, β = 5", 0.75


WRONG = (
    channel,
    goodhart,
    best_of_n,
    bounded_rationality,
    pools,
    robust,
    quantilizers,
    off_switch,
    power_seeking,
)


# --- the tests ----------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", CLAIMS)
def test_published_number(quantity):
    found = checked(quantity)
    assert found.agrees, f"{found.ours} is off {found.claim.published} by {found.difference}"
    assert found.claim.source in entries()


@pytest.mark.parametrize(("name", "controls"), list(zip(ITEMS, WRONG, strict=True)))
def test_each_number_refuses_a_wrong_one(name, controls):
    wrong = dict(controls())
    assert wrong.keys() == {quantity for quantity, (at, _) in CLAIMS.items() if at == name}
    for quantity, number in wrong.items():
        assert not checked(quantity).would_agree(float(number)), quantity


def test_no_quantity_is_there_twice():
    assert len(CLAIMS) == len(claims_of())


def test_how_close_is_close():
    claim = partial(Claim, "taylor-2016", "a number", ours=lambda: 0.0)
    given = Checked("x", claim("0.125"), Estimate(0.1259), 0.0)
    assert given.agrees
    assert given.because == "digits given"
    assert not Checked("x", claim("0.125"), Estimate(0.1261), 0.0).agrees
    assert not Checked("x", claim("0.1250"), Estimate(0.1259), 0.0).agrees
    assert Checked("x", claim("0.125", tolerance=0.01), Estimate(0.134), 0.0).agrees
    both = Checked("x", claim("0.1", error=0.03), Estimate(0.29, 0.04), 0.0)
    assert both.agrees
    assert both.tolerance == pytest.approx(0.2)
    assert not Checked("x", claim("0.1", error=0.03), Estimate(0.31, 0.04), 0.0).agrees
    assert not Checked("x", claim("0.1"), Estimate(float("nan")), 0.0).agrees


def test_the_page_has_what_the_command_prints():
    """Else put there what ``sumabm validate-science --markdown`` prints."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition("\n## The numbers\n\n")
    printed, _, _ = rest.partition("\n## ")
    assert markdown(map(checked, CLAIMS)).split("\n") == printed.split("\n")
