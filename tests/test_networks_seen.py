"""Who acts on whom: the graphs of a scenario, what sums them up, and how they are drawn."""

import io
import json
import math
import time

import matplotlib
import networkx as nx
import numpy as np
import pytest

import sumabm
from sumabm import SUMModel
from sumabm.battery.spec import Battery
from sumabm.battery.store import Store
from sumabm.browser.frame import Frame
from sumabm.browser.panels import oversight as panel
from sumabm.browser.panels import pictures
from sumabm.browser.picture import packed
from sumabm.figures import draw_all, oversight
from sumabm.figures.layout import laid_out
from sumabm.figures.style import styled
from sumabm.graphs import MOST_MEASURED, STATISTICS, statistics
from sumabm.networks import networks, summed_up
from sumabm.runs import open_run
from sumabm.runs import run as store_run

TALK = {"kind": "consensus", "graph": "ring", "rate": 0.2}
WATCH = {"kind": "oversight", "graph": "ring", "budget": "equal"}


def society(ais=6, aligners=3, relations=None):
    return sumabm.Scenario.model_validate(
        {
            "scenario": "society",
            "steps": 4,
            "world": {"kind": "gaussian", "dimensions": 10},
            "agents": {
                "X": {"role": "ai", "count": ais, "power": 0.4},
                "Y": {"role": "human", "power": 1.0},
                "W": {"role": "aligner", "count": aligners, "method": "budget"},
            },
            "relations": {"watch": WATCH, "talk": TALK} if relations is None else relations,
        }
    )


# --- the graphs ----------------------------------------------------------------------------------


def test_relations_are_there_by_name():
    found = networks(society())
    assert list(found) == ["watch", "talk"]
    assert set(found["watch"].successors("W2")) == {"X1", "X2", "X3"}
    assert found["talk"].number_of_edges() == 12


def test_oversight_is_there_without_such_a_relation():
    found = networks(sumabm.load_scenario("many"))
    assert set(found) == {"oversight"}
    assert set(found["oversight"].edges) == {("W1", "X1"), ("W1", "X2"), ("W2", "X3")}
    assert list(networks(society(relations={"talk": TALK}))) == ["talk", "oversight"]


def test_a_relation_keeps_the_name_of_oversight():
    found = networks(society(relations={"oversight": TALK}))
    assert list(found) == ["oversight"]
    assert found["oversight"].has_edge("X1", "X2")


@pytest.mark.parametrize("name", ["essay", "unopposed", "cup-grasp"])
def test_where_nothing_is_to_be_told_apart_there_is_no_graph(name):
    spec = sumabm.load_scenario(name)
    assert networks(spec) == {}
    assert laid_out(spec, 100) is None


def test_statistics_are_known_ones():
    ring = statistics(nx.cycle_graph(6).to_directed())
    assert ring == pytest.approx(
        {
            "agents": 6.0,
            "edges": 12.0,
            "degree": 2.0,
            "density": 0.4,
            "clustering": 0.0,
            "components": 1.0,
            "distance": 1.8,  # 1, 1, 2, 2, 3 from each
            "connectivity": 1.0,  # 2 − 2 cos(2π/6)
        }
    )
    complete = statistics(nx.complete_graph(5).to_directed())
    assert complete["clustering"] == complete["distance"] == complete["density"] == 1.0
    assert complete["connectivity"] == pytest.approx(5.0)


@pytest.mark.parametrize("seed", range(4))
def test_statistics_are_networkxs(seed):
    graph = nx.fast_gnp_random_graph(25, (0.06, 0.15, 0.3, 0.6)[seed], seed=seed, directed=True)
    found, plain = statistics(graph), graph.to_undirected()
    assert tuple(found) == STATISTICS
    assert found["clustering"] == pytest.approx(nx.average_clustering(plain))
    assert found["density"] == pytest.approx(nx.density(plain))
    assert found["components"] == nx.number_connected_components(plain)
    largest = plain.subgraph(max(nx.connected_components(plain), key=len))
    assert found["distance"] == pytest.approx(nx.average_shortest_path_length(largest))
    laplacian = np.linalg.eigvalsh(nx.laplacian_matrix(plain).toarray().astype(float))
    assert found["connectivity"] == pytest.approx(laplacian[1], abs=1e-9)


def test_statistics_of_hardly_a_graph():
    assert statistics(nx.DiGraph())["agents"] == 0.0
    alone = statistics(nx.empty_graph(1, nx.DiGraph))
    assert math.isnan(alone["distance"])
    assert math.isnan(alone["connectivity"])
    apart = statistics(nx.empty_graph(3, nx.DiGraph))
    assert (apart["components"], apart["connectivity"]) == (3.0, 0.0)
    large = statistics(nx.cycle_graph(MOST_MEASURED + 1, nx.DiGraph))
    assert large["degree"] == 2.0
    assert math.isnan(large["distance"])


# --- in results ----------------------------------------------------------------------------------


def test_runs_say_what_sums_their_graphs_up(tmp_path):
    spec = society()
    expected = json.loads(json.dumps(summed_up(spec)))
    assert list(expected) == ["watch", "talk"]
    assert expected["watch"]["components"] == 2.0
    assert expected["talk"] == pytest.approx(statistics(nx.cycle_graph(6).to_directed()))
    assert json.loads(sumabm.simulate(spec, 2).attrs["graphs"]) == expected
    stored = store_run(spec, range(2), 0, tmp_path, {})
    assert stored.manifest["graphs"] == expected
    assert open_run(stored.path).identical(sumabm.simulate(spec, 2))
    assert json.loads(sumabm.simulate("essay", 1, steps=1).attrs["graphs"]) == {}


def test_what_has_no_value_is_null():
    one = society(relations={"talk": {**TALK, "graph": "empty", "among": ["X1"]}})
    text = sumabm.simulate(one, 1).attrs["graphs"]
    assert json.loads(text, parse_constant=pytest.fail)["talk"]["distance"] is None


def battery(**fields):
    table = {"battery": "graphs", "scenario": society(), "replicates": 1, "uncertainties": {}}
    table["levers"] = {"relations.watch.graph": ["empty", "ring", "complete"]}
    return Battery.model_validate(table | {"design": {"kind": "grid", "levels": 2}} | fields)


def test_points_of_batteries_have_those_of_the_first_relation(tmp_path):
    levers = {"relations.watch.graph": ["empty", "ring", "complete"], "agents.X.count": [4, 6]}
    data = sumabm.open_battery(Store.create(battery(levers=levers), tmp_path, {}))
    for point in data["point"].values:
        one = data.sel(point=point)
        kind, count = one["relations.watch.graph"].item(), int(one["agents.X.count"])
        watch = {**WATCH, "graph": kind}
        expected = statistics(networks(society(count, 3, {"watch": watch}))["watch"])
        for name in STATISTICS:
            np.testing.assert_allclose(one[f"graph_{name}"], expected[name])
    degrees = data["graph_degree"].values.tolist()
    assert len(set(degrees)) == 6
    assert "role" not in data["graph_degree"].attrs  # it is no parameter
    assert data["graph_degree"].dims == ("point",)


def test_batteries_without_relations_have_none(tmp_path):
    levers = {"agents.X.count": [2, 3]}
    made = battery(scenario=society(relations={}), levers=levers)
    data = sumabm.open_battery(Store.create(made, tmp_path, {}))
    assert not [name for name in data.coords if str(name).startswith("graph_")]


# --- where agents stand --------------------------------------------------------------------------


@pytest.mark.parametrize("ais", [1, 3, 12, 60, 61, 1000])
def test_agents_stand_apart_humans_above_aligners_above_ais(ais):
    found = laid_out(society(ais), 2000)
    places, roles = found.places, np.array(found.roles)
    assert len(found.names) == ais + 4
    assert found.left == 0
    assert (places >= 0.0).all()
    assert (places <= 1.0).all()
    human, aligner, ai = (places[roles == role, 1] for role in ("human", "aligner", "ai"))
    assert human.min() > aligner.max()
    assert aligner.min() > ai.max()
    gaps = np.hypot(*(places[:, None] - places[None, :]).transpose(2, 0, 1))
    assert gaps[~np.eye(len(places), dtype=bool)].min() > 0.35 / max(ais, 4) ** 0.5 / 3.0
    np.testing.assert_array_equal(laid_out(society(ais), 2000).places, places)


def test_mutual_pairs_are_there_once_and_others_say_who_acts():
    edges = {"kind": "edges", "edges": [["X1", "X2"], ["X2", "X1"], ["X3", "X1"]]}
    found = laid_out(society(relations={"talk": {**TALK, "graph": edges}}), 100)
    first, talk = found.bonds
    assert (first.title, talk.title) == ("oversight", "talk (consensus)")
    pairs = [(found.names[a], found.names[b]) for a, b in talk.pairs.tolist()]
    assert dict(zip(pairs, talk.one_way.tolist(), strict=True)) == {
        ("X1", "X2"): False,
        ("X3", "X1"): True,
    }


def test_relations_of_one_pair_bend_apart():
    more = {**TALK, "kind": "collusion"}
    found = laid_out(society(relations={"talk": TALK, "more": more}), 100)
    assert [bond.bend for bond in found.bonds] == [0.0, 0.0, 0.15]
    found = laid_out(society(relations={"talk": TALK, "watch": WATCH}), 100)
    assert [bond.bend for bond in found.bonds] == [0.0, 0.0]


def test_of_many_agents_the_first_are_drawn():
    found = laid_out(society(900, 300), 200)
    assert 150 < len(found.names) <= 200
    assert len(found.names) + found.left == 1201
    assert {"X1", "X2", "Y", "W1", "W2"} <= set(found.names)
    assert found.roles.count("ai") == pytest.approx(3 * found.roles.count("aligner"), abs=3)


# --- the figure ----------------------------------------------------------------------------------


def drawn(spec, replicates=3):
    run = sumabm.simulate(spec, replicates)
    return run, oversight.draw(run, {})


def dots(axes, role):
    """Return a role's marks."""
    return dict(zip(("human", "aligner", "ai"), axes.collections[-3:], strict=True))[role]


def test_ais_are_coloured_by_alignment_and_as_large_as_their_power():
    spec = society().replace(
        {"agents.X.power": {"kind": "exponential", "initial": 0.4, "rate": 0.1}}
    )
    run, figure = drawn(spec)
    first, last, bar = figure.axes
    assert [first.get_title(), last.get_title()] == ["step 0", "the last step"]
    assert bar.get_ylabel() == "alignment of the AI (cosine)"
    low, high = bar.get_ylim()
    assert high == 1.0
    ais = list(spec.names("ai"))
    for axes, step in ((first, 0), (last, -1)):
        means = run.isel(step=step).sel(agent=ais).mean("replicate")
        scale = (means["alignment"].values - low) / (1.0 - low)
        expected = matplotlib.colormaps["cividis"](scale)
        np.testing.assert_allclose(dots(axes, "ai").get_facecolor(), expected)
        sizes = dots(axes, "ai").get_sizes()
        np.testing.assert_allclose(sizes, sizes[0])
    ratio = dots(last, "ai").get_sizes()[0] / dots(first, "ai").get_sizes()[0]
    power = run["power"].sel(agent="X1")[0]
    assert ratio == pytest.approx(float(power[-1] / power[0]))
    assert ratio > 1.2


def test_the_legend_names_relations_roles_and_powers():
    _, figure = drawn(society())
    (legend,) = figure.legends
    texts = [text.get_text() for text in legend.get_texts()]
    assert texts[:4] == ["watch (oversight)", "talk (consensus)", "human", "aligner"]
    assert texts[4:] == ["AI with 0.4 nats per action", "AI with 0.1 nats per action"]
    dashes = {line.get_linestyle() for line in legend.get_lines()[:2]}
    assert len(dashes) == 2


def test_lines_lead_from_who_acts_to_who_is_acted_on():
    spec = society()
    _, figure = drawn(spec)
    found = laid_out(spec, 100)
    watch = figure.axes[0].collections[0].get_segments()
    places = dict(zip(found.names, found.places, strict=True))
    expected = [(places[a], places[b]) for a, b in networks(spec)["watch"].edges]
    np.testing.assert_allclose([(line[0], line[-1]) for line in watch], expected)


def test_few_agents_have_names():
    for ais, named in ((6, True), (60, False)):
        _, figure = drawn(society(ais))
        assert ("X6" in {text.get_text() for text in figure.axes[0].texts}) == named


def test_many_agents_are_drawn_and_said_to_be_some(monkeypatch):
    monkeypatch.setattr(oversight, "_MOST", 100)
    _, figure = drawn(society(150), replicates=1)
    assert figure.legends[0].get_title().get_text() == "55 more agents are left out"


def test_odd_runs_are_drawn_or_not():
    spec = society()
    assert "oversight" in draw_all(sumabm.simulate(spec, 1, steps=1), {})
    for threshold, there in ((0.3, True), (-0.99, False)):
        stopped = sumabm.simulate(spec, 2, overrides={"stop": {"alignment": threshold}})
        assert ("oversight" in draw_all(stopped, {})) == there
    run = sumabm.simulate(spec, 1)
    table = json.loads(run.attrs["scenario"])
    table["relations"]["talk"]["kind"] = "of-a-plug-in"
    assert oversight.draw(run.assign_attrs(scenario=json.dumps(table)), {}) is None
    assert oversight.draw(sumabm.simulate("essay", 1, steps=2), {}) is None


def test_the_figure_is_the_same_twice():
    run = sumabm.simulate(society(), 2)
    files = []
    for _ in range(2):
        with styled():
            files.append(io.BytesIO())
            oversight.draw(run, {}).savefig(files[-1], format="svg", metadata={"Date": None})
    assert files[0].getvalue() == files[1].getvalue()


# --- the panel -----------------------------------------------------------------------------------


def frame_of(spec, steps=3, replicates=3):
    model, rows = SUMModel(spec, replicates), []
    for _ in range(steps):
        model.step()
        rows.append(model.row)
    columns = {key: np.stack([row[key] for row in rows]) for key in rows[0]} if rows else {}
    return Frame(spec, spec.steps, steps, columns)


def series(picture, name):
    (found,) = [each for each in picture.option["series"] if each["name"] == name]
    return found


def test_the_panel_has_lines_marks_and_a_scale():
    spec, where = society(), laid_out(society(), 200)
    frame = frame_of(spec)
    picture = panel.draw(frame)
    names = ["watch (oversight)", "talk (consensus)", "AIs", "aligners", "humans"]
    assert [each["name"] for each in picture.option["series"]] == names
    assert [entry["name"] for entry in picture.option["legend"]["data"]] == names
    assert picture.option["visualMap"]["seriesIndex"] == names.index("AIs")
    ais = series(picture, "AIs")["data"]
    aligned = [frame.columns[f"alignment.X{i}"][-1].mean() for i in range(1, 7)]
    assert [item["value"][2] for item in ais] == pytest.approx(aligned, rel=1e-2)
    assert "X1: alignment" in ais[0]["name"]
    assert "power 0.4 nats" in ais[0]["name"]
    watch = series(picture, "watch (oversight)")
    places = [tuple(np.round(place, 2)) for place in where.places]
    ends = [tuple(np.round(node["value"], 2)) for node in watch["data"]]
    joined = {
        (
            where.names[places.index(ends[link["source"]])],
            where.names[places.index(ends[link["target"]])],
        )
        for link in watch["links"]
    }
    assert joined == set(networks(spec)["watch"].edges)
    assert "watch (oversight) joins 9 pairs" in picture.spoken
    assert picture.spoken.endswith(".")


def test_areas_are_in_proportion_to_power_now():
    frame = frame_of(society())
    columns = frame.columns | {"power.X1": np.array([[0.4], [0.4], [1.6]]) * np.ones(3)}
    later = Frame(frame.spec, frame.horizon, 3, columns)
    sizes = [item["symbolSize"] for item in series(panel.draw(later), "AIs")["data"]]
    assert sizes[0] == pytest.approx(2.0 * sizes[1], abs=0.1)
    first = Frame(frame.spec, frame.horizon, 2, {k: v[:2] for k, v in columns.items()})
    sizes = [item["symbolSize"] for item in series(panel.draw(first), "AIs")["data"]]
    assert sizes[0] == sizes[1]


def test_one_way_lines_have_arrows_unless_they_oversee():
    edges = {"kind": "edges", "edges": [["X1", "X2"], ["X2", "X1"], ["X3", "X1"]]}
    picture = panel.draw(frame_of(society(relations={"talk": {**TALK, "graph": edges}})))
    talk = [link.get("symbol") for link in series(picture, "talk (consensus)")["links"]]
    assert talk == [None, ["none", "arrow"]]
    oversees = series(picture, "oversight")["links"]
    assert {tuple(link["symbol"]) for link in oversees} == {("none", "none")}


def test_the_panel_is_there_before_any_step_and_where_there_is_something_to_see():
    for spec in (society(), sumabm.load_scenario("many")):
        picture = panel.draw(frame_of(spec, 0))
        assert all(item["value"][2] is None for item in series(picture, "AIs")["data"])
        packed(picture.option)
        assert picture.spoken == "No step has been made yet."
    assert "oversight" in dict(pictures(frame_of(society(), 1)))
    assert panel.draw(frame_of(sumabm.load_scenario("essay"), 1)) is None
    humans = {"race": {"kind": "arms-race", "graph": "complete", "reaction": 0.1}}
    assert panel.draw(frame_of(society(relations=humans), 1)) is not None


def test_a_thousand_ais_are_drawn_in_time(monkeypatch):
    graph = {"kind": "watts-strogatz", "neighbours": 6, "rewired": 0.1}
    spec = society(1000, 20, {"talk": {**TALK, "graph": graph}, "watch": WATCH})
    rng = np.random.default_rng(0)
    columns = {
        f"{v}.X{i}": rng.random((2, 3)) for v in ("alignment", "power") for i in range(1, 1001)
    }
    frame = Frame(spec, 4, 2, columns)
    picture = panel.draw(frame)
    assert picture.title == "Who acts on whom: 199 of 1021 agents, some lines"
    assert sum(len(each["data"]) for each in picture.option["series"][2:]) == 199
    assert all(len(each.get("links", ())) <= 300 for each in picture.option["series"])
    assert len(packed(picture.option)) < 45_000
    monkeypatch.setattr(panel, "laid_out", pytest.fail)  # once is enough
    taken = []
    for _ in range(5):
        began = time.thread_time()
        panel.draw(frame)
        taken.append(time.thread_time() - began)
    assert min(taken) < 0.03
