"""Families of utilities: what likeness means at finite d, in every world, and for whom."""

import numpy as np
import pytest

from sumabm.model import SUMModel
from sumabm.toml import ScenarioError

FREE = {"kind": "states", "utilities": "free", "probabilities": [0.1, 0.2, 0.3, 0.2, 0.15, 0.05]}
WORLDS = [
    {"kind": "gaussian", "dimensions": 5},
    {"kind": "gaussian", "dimensions": 3, "covariance": [[2, 0.6, 0.1], [0.6, 1, 0], [0.1, 0, 5]]},
    {"kind": "grid", "steps": 5, "dimensions": 3, "reach": 2.0},
    FREE,
]


def z(sample, expected):
    return abs(sample.mean() - expected) / (sample.std(ddof=1) / np.sqrt(sample.size))


def kin(likeness, family="f", **more):
    utility = {"kind": "kin", "family": family, "likeness": likeness}
    return {"role": "ai", "power": 1.0, "utility": utility, **more}


def aims(agents, replicates=1500, seed=3, **overrides):
    """Return the aims of the AIs of ``agents``, which join an AI X and a human Y of their own."""
    overrides |= {f"agents.{name}": spec for name, spec in agents.items()}
    model = SUMModel("unopposed", replicates, seed, **overrides)
    return [model.ais[name].subject.aim for name in agents if name in model.ais]


def cosine(one, other):
    return np.vecdot(one, other)


@pytest.mark.parametrize(
    ("world", "likeness"),
    [(WORLDS[0], 0.0), (WORLDS[0], 0.9), *((world, 0.3) for world in WORLDS)],
    ids=lambda what: what["kind"] if isinstance(what, dict) else str(what),
)
def test_two_members_have_the_likeness_in_the_mean(world, likeness):
    """Mean ρ and variance (1 − ρ)²/(d − 1) at any d, where alignment is the cosine."""
    d = 5 if world is FREE else world["dimensions"]
    one, other = aims({"A": kin(likeness), "B": kin(likeness)}, world=world)
    c = cosine(one, other)
    np.testing.assert_allclose(cosine(one, one), 1.0, rtol=1e-12)
    assert z(c, likeness) < 4
    assert z((c - likeness) ** 2, (1 - likeness) ** 2 / (d - 1)) < 4
    assert z((c - likeness) ** 2, (1 - likeness) ** 2 / (d + 2)) > 4
    assert z(c, likeness + 0.1) > 4


@pytest.mark.parametrize("world", WORLDS, ids=lambda w: w["kind"])
def test_copies_are_the_same_to_the_bit(world):
    one, other = aims({"A": kin(1.0), "B": kin(1.0)}, 50, world=world)
    np.testing.assert_array_equal(one, other)
    assert not np.array_equal(one, aims({"A": kin(1.0, "g")}, 50, world=world)[0])


@pytest.mark.parametrize("likeness", [0.0, 0.5, 1.0])
def test_each_member_is_uniform(likeness):
    """Against a human of no family: cosine of mean 0, of mean square 1/d."""
    model = SUMModel("unopposed", 1500, 3, **{"world.dimensions": 4, "agents.X": kin(likeness)})
    c = cosine(model.ais["X"].subject.aim, model.humans["Y"].aim)
    assert z(c, 0.0) < 4
    assert z(c**2, 1 / 4) < 4
    assert z(c**2, 1 / 3) > 4


def test_members_of_unequal_likeness():
    """The cosine's mean is sqrt(ρ ρ'), not their mean."""
    one, other = aims({"A": kin(0.9), "B": kin(0.1)}, **{"world.dimensions": 10})
    assert z(cosine(one, other), 0.3) < 4
    assert z(cosine(one, other), 0.5) > 4


def test_humans_and_ais_of_one_family_are_akin():
    for family, expected in (("f", 0.4), ("g", 0.0)):
        human = kin(0.4, family, role="human")
        model = SUMModel("unopposed", 1500, 3, **{"agents.Y": human, "agents.X": kin(0.4)})
        c = cosine(model.ais["X"].subject.aim, model.goal)
        assert z(c, expected) < 4
        assert z(c, 0.4 - expected) > 4


def test_a_member_more_changes_none_of_the_others():
    agents = {"A": kin(0.5), "B": kin(0.5)}
    few = aims(agents, 20)
    more = aims({"C": kin(0.2), **agents}, 20)[1:]
    np.testing.assert_array_equal(few, more)
    some = aims(agents, range(7, 9))
    np.testing.assert_array_equal(some, np.array(few)[:, 7:9])


def test_likeness_holds_across_a_left_turn():
    """In the old dimensions and in all, to O(1/d)."""
    agents = {f"agents.{name}": kin(0.3) for name in "AB"}
    model = SUMModel("sharp-left-turn", 500, 3, **agents, **{"agents.W.method": "none"})
    for _ in range(2):
        c = cosine(*(model.ais[name].subject.aim for name in "AB"))
        assert abs(c.mean() - 0.3) < 4 * c.std() / np.sqrt(c.size) + 1 / model.base.dimensions
        while model.base.dimensions < model.base.width:
            model.step()


def test_what_is_no_family_is_refused():
    for likeness in (-0.1, 1.1, "much"):
        with pytest.raises(ScenarioError, match="likeness"):
            aims({"A": kin(likeness)})
    with pytest.raises(ScenarioError, match="family"):
        aims({"A": kin(0.5, "the family")})
    with pytest.raises(ScenarioError, match="two dimensions"):
        aims({"A": kin(0.5)}, world={"kind": "grid", "steps": 5})
