"""A URL restores the view, and a hostile one is told what it lacks."""

import base64
import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sumabm.browser.address import MAX_FIELDS, Address, AddressError
from sumabm.browser.config import config
from sumabm.browser.source import base_of, names, scenario_of
from sumabm.scenario import library, load_scenario
from sumabm.toml import ScenarioError

values = st.one_of(
    st.integers(-(10**6), 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(max_size=30).filter(lambda text: "\x00" not in text),
    st.lists(st.integers(-9, 9), max_size=4),
    st.none(),
    st.dictionaries(st.from_regex("[a-z]{1,5}", fullmatch=True), st.floats(0, 1), min_size=1),
)
paths = st.from_regex(r"[a-z]{1,8}(\.[a-zA-Z]{1,8}){0,3}", fullmatch=True)


@given(
    st.builds(
        Address,
        scenario=st.sampled_from(["essay", "many"]),
        overrides=st.dictionaries(paths, values, max_size=4),
        replicates=st.integers(0, 1000),
        seed=st.integers(0, 2**63),
        shown=st.integers(0, 99),
        ai=st.sampled_from(["", "X", "X1"]),
        step=st.integers(0, 10**6),
    )
)
def test_what_an_address_says_is_read_back(address):
    assert Address.of(address.query()) == address


def test_a_scenario_travels_in_the_address():
    text = (library() / "essay.toml").read_text()
    address = Address(text=text, overrides={"steps": 3})
    assert address.fits
    back = Address.of(address.query())
    assert back.text == text
    assert scenario_of(back).steps == 3
    assert scenario_of(back).identity() == load_scenario("essay", {"steps": 3}).identity()


def bomb():
    return base64.urlsafe_b64encode(zlib.compress(b" " * 50_000_000, 9)).decode()


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("replicates=many", "whole number of at least 1"),
        ("replicates=0", "whole number of at least 1"),
        ("seed=-1", "whole number"),
        ("step=" + "9" * 50, "whole number"),
        ("step=²", "whole number"),
        ("set=agents.X.power", "PATH=VALUE"),
        ("set==3", "PATH=VALUE"),
        ("nonsense=1", "unknown field 'nonsense'"),
        ("toml=%%%", "cannot be read"),
        ("toml=AAAA", "cannot be read"),
        ("&".join(["set=a=1"] * (MAX_FIELDS + 1)), "more than"),
    ],
)
def test_a_bad_address_is_told_why(query, told):
    with pytest.raises(AddressError, match=told):
        Address.of(query)


def test_a_packed_bomb_is_not_unpacked():
    with pytest.raises(AddressError, match="too large"):
        Address.of("toml=" + bomb())


@given(st.text(max_size=200))
def test_no_address_is_more_than_refused(query):
    with contextlib.suppress(AddressError):
        Address.of(query)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "batteries/atlas", "essay.toml", "x" * 999, ""]
)
def test_only_offered_scenarios_are_opened(name):
    with pytest.raises(ScenarioError, match="unknown scenario"):
        base_of(Address(scenario=name))


def test_the_users_own_file_is_offered(tmp_path, monkeypatch):
    file = tmp_path / "mine.toml"
    file.write_text((library() / "essay.toml").read_text().replace('"essay"', '"mine"', 1))
    monkeypatch.setattr(config, "scenario", file)
    assert names()[0] == "mine.toml"
    assert base_of(Address(scenario="mine.toml")).scenario == "mine"


def test_the_users_own_data_is_had_and_none_beside_it(tmp_path, monkeypatch):
    text = (library() / "reward-model.toml").read_text()
    (tmp_path / "data").mkdir()
    data = (library() / "data" / "reward-model.csv").read_text()
    for name in ("reward-model.csv", "other.csv"):
        (tmp_path / "data" / name).write_text(data)
    (tmp_path / "mine.toml").write_text(text)
    monkeypatch.setattr(config, "scenario", tmp_path / "mine.toml")
    assert scenario_of(Address(scenario="mine.toml", overrides={"steps": 3})).steps == 3
    other = {"world.file": str(tmp_path / "data" / "other.csv")}
    with pytest.raises(ScenarioError, match="own folder"):
        scenario_of(Address(scenario="mine.toml", overrides=other))
    with pytest.raises(ScenarioError, match="no such file") as refused:
        scenario_of(Address(scenario="reward-model", overrides={"world.file": "none.csv"}))
    assert "/none.csv" not in str(refused.value)


def test_what_does_not_fit_into_an_address_says_so():
    assert not Address(overrides={"agents.X.power.values": [0.123456789] * 12_000}).fits
    assert Address(overrides={"agents.X.power": 3}).fits


@pytest.mark.parametrize("file", ["/etc/hostname.csv", "../../../../etc/x.npy", "data/../../a.csv"])
def test_a_page_reads_no_data_from_elsewhere(file):
    changed = {"world.file": file}
    with pytest.raises(ScenarioError, match="in the scenario's own folder"):
        scenario_of(Address(scenario="reward-model", overrides=changed))
    text = (library() / "reward-model.toml").read_text()
    sent = Address(text=text.replace("data/reward-model.csv", file))
    with pytest.raises(ScenarioError, match="in the scenario's own folder"):
        scenario_of(sent)


def test_shipped_data_can_be_had():
    assert scenario_of(Address(scenario="reward-model", overrides={"steps": 2})).steps == 2
