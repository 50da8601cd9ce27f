"""What relations refuse, each with a message that says why."""

import pytest

ALL = {"graph": "complete"}
TO_W = {"graph": {"kind": "edges", "edges": [["X1", "W"]]}}
GROWS = {"kind": "exponential", "initial": 0.5, "rate": 0.1}
TWO = {"Y2": {"role": "human", "power": 0.5}, "W2": {"role": "aligner", "method": "budget"}}
BARGAIN = {"kind": "bargaining", **ALL}


def edges(*given):
    return {"a": {"kind": "consensus", "graph": {"kind": "edges", "edges": list(given)}}}


@pytest.mark.parametrize(
    ("relations", "changes", "said"),
    [
        ({"a": BARGAIN, "b": {"kind": "coalition", **ALL}}, {}, "AIs that the relation a has"),
        ({"a": BARGAIN, "b": {**BARGAIN, "among": ["X2"]}}, {}, "AIs that the relation b has"),
        ({"a": {"kind": "arms-race", "reaction": 0.1, **ALL}}, {"agents.X1.power": GROWS}, "X1"),
        ({"a": {"kind": "consensus", **ALL}}, {"agents.X2.utility": "explorer"}, "X2 learns"),
        ({"a": {"kind": "oversight", **ALL}, "b": {"kind": "oversight", **ALL}}, {}, "one rel"),
        ({"a": {"kind": "lending", **TO_W, "looks": 3}}, {"agents.W.oversees": []}, "no use"),
        (edges(["X1"]), {}, "[from, to]"),
        (edges(["X1", "X1"]), {}, "the edge from X1 leads back to it"),
        (edges(["X1", "X2", 0.0]), {}, "a positive number"),
    ],
)
def test_it_is_refused_and_says_why(society, relations, changes, said):
    with pytest.raises(ValueError, match="relations") as told:
        society(relations=relations, method="budget", **changes)
    assert said in str(told.value)


@pytest.mark.parametrize("edges", [[["X1"]], ["X1", "X2"], [["X1", "X2", "a"]], [["X1", 2.0]]])
def test_what_is_no_edge_is_told_once(society, edges):
    graph = {"kind": "edges", "edges": edges}
    with pytest.raises(ValueError, match="relations") as told:
        society(relations={"a": {"kind": "consensus", "graph": graph}})
    assert str(told.value).count("should be [from, to]") == len(edges)
    assert "tuple" not in str(told.value)


def test_nudges_to_two_goals_are_refused_and_rotations_are_not(society):
    """Nats spent towards two goals have no common law."""
    with pytest.raises(ValueError, match="to another goal than the aligner W"):
        society(method="budget", more=TWO, **{"agents.W2.serves": ["Y2"]})
    society(method="budget", more=TWO, **{"agents.W2.serves": ["Y", "Y2"]})  # that is all of them
    reads = {"kind": "probe", "noise": 1.0}
    both = {**TWO, "W2": {"role": "aligner", "method": reads, "serves": ["Y2"]}}
    society(method=reads, more=both)


def test_many_alike_are_told_in_few_lines(society):
    """Agents of one entry have the same problem, each by its name."""
    with pytest.raises(ValueError, match="relations") as told:
        society(
            relations={"a": {"kind": "consensus", **ALL}},
            ais={"X": {"count": 50, "utility": "explorer"}},
        )
    text = str(told.value)
    assert text.count("learns its aim anew") == 3
    assert "47 more problems like these" in text
