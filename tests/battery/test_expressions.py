"""Expressions are Python's arithmetic, and cannot be anything else."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sumabm import sphere
from sumabm.battery.expressions import MAX_LENGTH, Expression

VARIABLES = {"x": 3, "y": -0.5, "steps": 100, "ξ": 2.25}
leaves = st.one_of(
    st.integers(0, 20).map(str),
    st.floats(0.0, 50.0, allow_subnormal=False).map(repr),
    st.sampled_from([*VARIABLES, "pi"]),
)
OF_ONE = ["abs", "ceil", "exp", "floor", "log", "log10", "round", "sqrt"]


def longer(texts):
    return st.one_of(
        st.tuples(texts, st.sampled_from(["+", "-", "*", "/", "//", "%", "**"]), texts).map(
            lambda parts: "({} {} {})".format(*parts)
        ),
        texts.map(lambda text: f"-{text}"),
        st.tuples(st.sampled_from(OF_ONE), texts).map(lambda parts: "{}({})".format(*parts)),
        st.tuples(st.sampled_from(["min", "max"]), texts, texts).map(
            lambda parts: "{}({}, {})".format(*parts)
        ),
    )


def by_python(text):
    functions = {name: getattr(math, name) for name in OF_ONE if hasattr(math, name)}
    names = {**VARIABLES, **functions, "pi": math.pi, "abs": abs, "round": round}
    return eval(text, {"__builtins__": {}, "min": min, "max": max}, names)


NO_VALUE = "by zero|modulo|domain|range|finite|negative power|positive|nonnegative"


@given(st.recursive(leaves, longer, max_leaves=6))
def test_values_are_those_of_python(text):
    expression = Expression.parse(text)
    assert expression.names == VARIABLES.keys() & set(re.findall(r"\w+", text))
    try:
        found = expression.value(VARIABLES)
    except ValueError as error:
        refusal = str(error)
    else:
        expected = by_python(text)
        assert (type(found), found) == (type(expected), expected)
        return
    assert re.search(NO_VALUE, refusal.removeprefix(repr(text)))


def test_nats_that_an_alignment_costs():
    assert Expression.parse("nats(d, c) / 4").value({"d": 3, "c": 0.9}) == sphere.nats(3, 0.9) / 4
    for text, said in {
        "nats(1, 0.5)": "d must be a finite number of dimensions, 2 or more",
        "nats(9, 1.5)": "cosine must lie in",
        "nats(9, 1.0)": "real and finite",
    }.items():
        with pytest.raises(ValueError, match=said):
            Expression.parse(text).value({})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 ** 3 ** 2", 512),
        ("-2 ** 2", -4),
        ("(1 + 2) * 3 % 4", 1),
        ("round(2.5 * x)", 8),
        ("7 // 2", 3),
        ("+x", 3),
        ("  max(1, 2, x)\n", 3),
        ("1e-3 * pi", 1e-3 * math.pi),
        ("x", 3),
    ],
)
def test_some_values(text, value):
    found = Expression.parse(text).value({"x": 3})
    assert (found, type(found)) == (value, type(value))


def test_rounded_values_are_whole():
    for name in ("round", "floor", "ceil"):
        assert type(Expression.parse(f"{name}(x)").value({"x": 2.4})) is int


def test_numbers_of_numpy_are_numbers():
    found = Expression.parse("a + b").value({"a": np.int64(2), "b": np.float64(0.5)})
    assert (found, type(found)) == (2.5, float)
    with pytest.raises(ValueError, match="division by zero"):
        Expression.parse("a / b").value({"a": np.float64(2), "b": np.float64(0.0)})


def test_names_are_the_variables():
    assert Expression.parse("round(2 * pi * radius) + max(d, d)").names == {"radius", "d"}
    assert Expression.parse("1 + 1").names == frozenset()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "is not arithmetic"),
        ("1 +", "is not arithmetic"),
        ("1; 2", "is not arithmetic"),
        ("x := 1", "is not arithmetic"),
        ("1or 2", "is not arithmetic"),
        ("\0", "is not arithmetic"),
        ("\ud800", "is not arithmetic"),
        ("(" * 240 + "1" + ")" * 240, "is not arithmetic"),
        ("1" * (MAX_LENGTH + 1), "at most 500 characters"),
        ("x.real", "names without dots"),
        ("().__class__.__bases__", "names without dots"),
        ("().__class__()", "not Call"),
        ("(lambda: 1)()", "not Call"),
        ("__import__('os')", "__import__: unknown function"),
        ("eval('1')", "eval: unknown function"),
        ("rond(1)", "did you mean 'round'"),
        ("round", "is a function, so it needs parentheses"),
        ("min(min, 1)", "is a function, so it needs parentheses"),
        ("round(2, -1000000000)", "takes one number"),
        ("max(1)", "takes two numbers or more"),
        ("nats(100)", "takes two numbers"),
        ("nats(100, 0.9, 1)", "takes two numbers"),
        ("max(1, *x)", "not Starred"),
        ("max(1, 2, key=abs)", "not keyword"),
        ("'text'", "should be arithmetic"),
        ("b'text'", "should be arithmetic"),
        ("f'{x}'", "not JoinedStr"),
        ("True", "should be arithmetic"),
        ("None", "should be arithmetic"),
        ("...", "should be arithmetic"),
        ("2j", "should be arithmetic"),
        ("[1, 2]", "not List"),
        ("(1, 2)", "not Tuple"),
        ("x[0]", "not Subscript"),
        ("[x for x in y]", "not ListComp"),
        ("lambda: 1", "not Lambda"),
        ("1 if x else 2", "not IfExp"),
        ("x < 1", "not Compare"),
        ("x and 1", "not BoolOp"),
        ("not x", "not Not"),
        ("~x", "not Invert"),
        ("x << 99999", "not LShift"),
        ("x @ x", "not MatMult"),
        ("await x", "not Await"),
    ],
)
def test_what_is_not_arithmetic_is_refused(text, rule):
    with pytest.raises(ValueError, match=rule):
        Expression.parse(text)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("9 ** 9 ** 9", "out of range"),
        ("9 ** 9 ** 9 ** 9", "out of range"),
        ("9.0 ** 1e9", "out of range"),
        ("10 ** 308 * 10 ** 308", "real and finite"),
        ("1e308 * 10", "real and finite"),
        ("1e400", "real and finite"),
        ("1e400 - 1e400", "real and finite"),
        ("9" * 499, "real and finite"),
        ("(-8) ** 0.5", "real and finite"),
        ("0 ** -1", "negative power"),
        ("1 / (x - x)", "division by zero"),
        ("1 // 0", "by zero"),
        ("1 % 0", "by zero"),
        ("log(x - x)", "domain|positive"),
        ("sqrt(-x)", "domain|nonnegative"),
        ("exp(1000 * x)", "range"),
        ("y + 1", "no variable 'y'"),
        ("t + 1", "every variable should be a number, t = 'text'"),
        ("b + 1", "every variable should be a number, b = True"),
        ("n + 1", "real and finite, n = nan"),
    ],
)
def test_what_has_no_value_is_refused(text, rule):
    variables = {"x": 1, "t": "text", "b": True, "n": float("nan"), "unused": object()}
    with pytest.raises(ValueError, match=rule) as caught:
        Expression.parse(text).value(variables)
    assert str(caught.value).startswith(repr(text))


def test_the_longest_expressions_have_values():
    assert Expression.parse("-" * 499 + "1").value({}) == -1
    assert Expression.parse("+".join(["1"] * 250)).value({}) == 250
    assert Expression.parse("abs(" * 90 + "-1" + ")" * 90).value({}) == 1
