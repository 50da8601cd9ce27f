"""Arithmetic on a battery's variables, and nothing else that a text might make Python do."""

from __future__ import annotations

import ast
import functools
import math
import operator
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from sumabm import sphere
from sumabm.component import unknown

MAX_LENGTH = 500
_CONSTANTS = {"pi": math.pi}


def _power(base: float, exponent: float) -> Any:
    """Return a power; raises OverflowError before an integer power takes for ever."""
    float(base) ** exponent
    return base**exponent


def _nats(d: float, cosine: float) -> float:
    """Return the nats that a mean alignment costs in d dimensions: see `sphere.nats`."""
    return float(sphere.nats(d, cosine))


_OPERATORS: dict[type[ast.operator | ast.unaryop], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_OF_ONE: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "log10": math.log10,
    "round": round,
    "sqrt": math.sqrt,
}
_OF_TWO: dict[str, Callable[..., Any]] = {"nats": _nats}
_OF_MANY: dict[str, Callable[..., Any]] = {"max": max, "min": min}
_FUNCTIONS = _OF_ONE | _OF_TWO | _OF_MANY


@dataclass(frozen=True)
class Expression:
    """A checked arithmetic expression.

    It has numbers, variables, the constant ``pi``, ``+ - * / // % **``, parentheses, and the
    functions abs, ceil, exp, floor, log, log10, max, min, round and sqrt, and ``nats(d, c)``: what
    a mean alignment c costs in d dimensions. Whole numbers stay whole as in Python, and ``round``,
    ``floor`` and ``ceil`` make them.

    >>> Expression.parse("round(2 * xi) + 1").value({"xi": 3.2})
    7
    """

    text: str
    names: frozenset[str]
    """The variables."""
    _root: ast.expr = field(repr=False, compare=False)

    @classmethod
    @functools.lru_cache(maxsize=1024)
    def parse(cls, text: str) -> Expression:
        """Return the expression of a text; raises ValueError with the rule that it breaks."""
        if len(text) > MAX_LENGTH:
            raise ValueError(f"should have at most {MAX_LENGTH} characters")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Python only warns of 1or 2
                root = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            raise ValueError(f"is not arithmetic: {reason}") from None
        called = {id(node.func) for node in ast.walk(root) if isinstance(node, ast.Call)}
        names = set()
        for node in ast.walk(root):
            _check(node)
            if isinstance(node, ast.Name) and id(node) not in called:
                names.add(node.id)
        if functions := names & _FUNCTIONS.keys():
            raise ValueError(f"{min(functions)} is a function, so it needs parentheses")
        return cls(text, frozenset(names - _CONSTANTS.keys()), root)

    def value(self, variables: Mapping[str, Any]) -> float | int:
        """Return the number that it comes to.

        Raises ValueError, with the text and the variables, where there is none that is real and
        finite, or a variable is missing or no number.
        """
        used = {name: variables[name] for name in sorted(self.names) if name in variables}
        try:
            numbers = {name: _real(value) for name, value in used.items()}
            return _value(self._root, {**numbers, **_CONSTANTS})
        except KeyError as error:
            reason = f"there is no variable {error}"
        except (ArithmeticError, TypeError, ValueError, RecursionError) as error:
            reason = str(error.args[-1])
        told = "".join(f", {name} = {value!r}" for name, value in used.items())
        raise ValueError(f"{self.text!r} has no value: {reason}{told}")


def _check(node: ast.AST) -> None:
    """Raise ValueError unless an expression may have such a node."""
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            pass
        case ast.Call(func=ast.Name(id=name)):
            _check_call(name, len(node.args))
        case ast.Attribute():
            raise ValueError("may use variables only: names without dots")
        case ast.Name() | ast.BinOp() | ast.UnaryOp() | ast.expr_context():
            pass
        case ast.operator() | ast.unaryop() if type(node) in _OPERATORS:
            pass
        case _:
            raise ValueError(
                "should be arithmetic: numbers, variables, + - * / // % ** and "
                f"{', '.join(sorted(_FUNCTIONS))}; not {type(node).__name__}"
            )


def _check_call(name: str, given: int) -> None:
    if name not in _FUNCTIONS:
        raise ValueError(f"{name}: {unknown('function', name, list(_FUNCTIONS)).message()}")
    if name in _OF_ONE and given != 1:
        raise ValueError(f"{name} takes one number (got {given})")
    if name in _OF_TWO and given != 2:
        raise ValueError(f"{name} takes two numbers (got {given})")
    if name in _OF_MANY and given < 2:
        raise ValueError(f"{name} takes two numbers or more (got {given})")


def _value(node: ast.expr, numbers: Mapping[str, float]) -> float | int:
    """Return the value of a checked node; raises ArithmeticError beyond real, finite numbers."""
    result: Any
    match node:
        case ast.Constant():
            result = node.value
        case ast.Name():
            result = numbers[node.id]
        case ast.UnaryOp():
            result = _OPERATORS[type(node.op)](_value(node.operand, numbers))
        case ast.BinOp():
            left, right = _value(node.left, numbers), _value(node.right, numbers)
            result = _OPERATORS[type(node.op)](left, right)
        case ast.Call(func=ast.Name(id=name)):
            result = _FUNCTIONS[name](*[_value(part, numbers) for part in node.args])
    if isinstance(result, complex) or not abs(result) <= sys.float_info.max:
        raise ArithmeticError("should be real and finite")
    return result


def _real(value: object) -> float | int:
    """Return a plain number for a variable's value, NumPy's numbers included."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    raise TypeError("every variable should be a number")
