"""The command `validate-science`: what it prints, where, and how it ends."""

import json
import sys

import pytest

from sumabm import cli
from sumabm.science import claims_of, pools
from sumabm.science.claims import Claim
from sumabm.science.table import HEADS


@pytest.fixture
def validate(monkeypatch, capsys):
    """Run the command; return exit code, output and errors."""

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["sumabm", "validate-science", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call


@pytest.fixture
def wrong(monkeypatch):
    """One of the numbers is wrong."""
    other = Claim("lee-2025", "a number | that is wrong", "-0.25", lambda: -0.26, "published")
    monkeypatch.setattr(pools, "CLAIMS", (*pools.CLAIMS, other))


def test_a_table_of_numbers(validate):
    code, out, err = validate("robust", "pools")
    lines = out.splitlines()
    assert code == 0
    assert [head for head in HEADS if head in out] == list(HEADS)
    for _, claim in claims_of(["pools", "robust"]):
        found = [line for line in lines if claim.quantity in line]
        assert len(found) == 1, claim.quantity
        assert claim.published.replace("-", "−") in found[0]
        assert found[0].split()[-1] == "agrees"
    first, last = (out.index(word) for word in ("Lee et al. 2025", "Hu & Hong 2013"))
    assert first < last  # in their order, not in that of the words
    assert "12 of 12 numbers agree" in out
    assert "published numbers: 12 of 12 checked" in err


def test_as_json(validate):
    code, out, _ = validate("pools", "--json")
    numbers = json.loads(out)["numbers"]
    assert code == 0
    assert len(numbers) == len(pools.CLAIMS)
    assert all(each["agrees"] for each in numbers)
    first = numbers[0]
    assert (first["item"], first["source"], first["digits"]) == ("pools", "lee-2025", "recomputed")
    assert first["difference"] == first["ours"] - first["published"]
    assert abs(first["difference"]) <= first["tolerance"]


def test_as_markdown(validate, wrong):
    code, out, _ = validate("pools", "--markdown")
    lines = out.splitlines()
    assert code == 1
    assert lines[0] == "### Log-linear pools of agents: `pools`"
    assert lines[-1] == (
        "| Lee et al. 2025 | a number \\| that is wrong | −0.25 | the source's | −0.260 | −1e−2 "
        "| 1e−2: digits given | off |"
    )


def test_a_number_that_is_off(validate, wrong):
    code, out, err = validate("pools")
    assert code == 1
    assert f"{len(pools.CLAIMS) - 1} of {len(pools.CLAIMS)} numbers agree" in out
    assert f"1 of {len(pools.CLAIMS)} numbers are off" in err


def test_bad_input(validate):
    code, out, err = validate("goodheart")
    assert (code, out) == (2, "")
    assert "goodheart: allowed: channel, goodhart" in err
    code, out, err = validate("pools", "--json", "--markdown")
    assert (code, out) == (2, "")
    assert "--markdown --json" in err


def test_an_interruption(validate, monkeypatch):
    def interrupted(*words):
        raise KeyboardInterrupt

    monkeypatch.setattr("sumabm.science.claims.check", interrupted)
    code, out, err = validate("pools")
    assert (code, out) == (130, "")
    assert "interrupted" in err
