"""The small changes of `mutants`: what could be wrong with a line, one change at a time.

Docstrings, annotations, imports, decorators, error messages, assertions and blocks for type
checkers are left alone. So are the axes of arrays: another one raises, or is the same one. Changes
that raise wherever they run, as None for an array, are not made: they would flatter the tests.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast

Change = Callable[[Any], ast.AST]

OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
COMPARISONS: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
_PAIRS = [
    ("min", "max"),
    ("minimum", "maximum"),
    ("any", "all"),
    ("argmin", "argmax"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("floor", "ceil"),
    ("sin", "cos"),
    ("expm1", "exp"),
    ("log1p", "log"),
    ("left", "right"),
]
SWAPPED = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}
DROPPED = {"abs", "sqrt", "clip", "sorted", "unique", "cumsum", "square"}  # but for what they take
SIDES = {"left", "right"}


class Mutant(NamedTuple):
    """One change: where it is, what the statement was and is, and the module's tree with it."""

    file: Path
    line: int
    last: int
    before: str
    after: str
    name: str
    make: Callable[[], ast.Module]

    @property
    def module(self) -> str:
        """The name that its module is imported by."""
        return module_of(self.file)

    @property
    def rank(self) -> str:
        """Its place in the order that the sample is taken in: fixed, whatever else changes."""
        return hashlib.sha256(f"mutants 10 {self.name}".encode()).hexdigest()


def module_of(file: Path) -> str:
    """Return the name that a file is imported by."""
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def mutants_of(file: Path, source: str) -> list[Mutant]:
    """Return every mutant of a module, ordered by `Mutant.rank`.

    A name is the module and a hash of what changes to what, so that it outlives other changes.
    """
    tree, module = ast.parse(source), module_of(file)
    seen: dict[tuple[str, str, str], int] = {}
    found = []
    for where, statement, path, within, node in _nodes(tree):
        header = _header(statement)
        before = _shown(header)
        for change in _changes(node):
            after = _shown(_changed(copy.deepcopy(header), within, change))
            key = (where, before, after)
            seen[key] = seen.get(key, -1) + 1
            digest = hashlib.sha256("\n".join((*key, str(seen[key]))).encode()).hexdigest()[:10]
            line, last = _lines(node, statement)
            name, make = f"{module}:{digest}", partial(_mutated, tree, path, change)
            found.append(Mutant(file, line, last, before, after, name, make))
    return sorted(found, key=lambda mutant: mutant.rank)


Way = tuple[tuple[str, int | None], ...]
"""The way to a node: field names and, in lists, places."""


Node = tuple[str, ast.stmt, Way, Way, ast.AST]


def _nodes(
    node: ast.AST, scope: str = "", at: ast.stmt | None = None, path: Way = (), within: Way = ()
) -> Iterator[Node]:
    """Walk what may change: scope, innermost statement, path, the part within it, and node."""
    if _left_alone(node):
        return
    if isinstance(node, ast.stmt):
        at, within = node, ()
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        scope = f"{scope}.{node.name}"
    if at is not None:
        yield scope, at, path, within, node
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list", "bases", "type_params"}:
            continue
        for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                step = (field, place)
                yield from _nodes(child, scope, at, (*path, step), (*within, step))


def _left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Raise() | ast.Assert() | ast.JoinedStr():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "kind" | "cites")]):
            return True
        case ast.Assign(value=ast.Subscript() | ast.BinOp(op=ast.BitOr())) as assign:
            name = assign.targets[0]  # an alias of a type
            return isinstance(name, ast.Name) and name.id[0].isupper() and not name.id.isupper()
        case ast.Call(func=ast.Name(id="Objection" | "TypeVar" | "cast")):
            return True
        case ast.keyword(arg="axis") | ast.Subscript(value=ast.Attribute(attr="shape")):
            return True
    return False


def _changes(node: ast.AST) -> Iterator[Change]:
    """Yield functions that make a copy of this node another one."""
    if isinstance(node, ast.expr):
        yield from _of_expression(node)
    elif isinstance(node, ast.stmt):
        yield from _of_statement(node)
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield from () if isinstance(node.test, ast.Compare | ast.UnaryOp) else (_negated,)


def _of_expression(node: ast.expr) -> Iterator[Change]:
    match node:
        case ast.BinOp(op=op) if type(op) in OPERATORS and not _names_type(node):
            yield _set("op", OPERATORS[type(op)]())
        case ast.Compare(ops=[operator]):
            for other in COMPARISONS[type(operator)]:
                yield _set("ops", [other()])
        case ast.BoolOp(op=op):
            yield _set("op", ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp():
            yield lambda node: node.operand
        case ast.Constant(value=value):
            yield from _constants(value)
        case ast.Call():
            yield from _calls(node)


def _of_statement(node: ast.stmt) -> Iterator[Change]:
    match node:
        case ast.AugAssign(op=op):
            yield _set("op", OPERATORS[type(op)]())
            yield lambda node: ast.Pass()
        case ast.Return(value=ast.Tuple(elts=[_, _])):
            yield _reversed_pair
        case ast.Expr(value=ast.Call()):
            yield lambda node: ast.Pass()
        case ast.Break() | ast.Continue():
            yield lambda node: ast.Continue() if isinstance(node, ast.Break) else ast.Break()


def _constants(value: object) -> Iterator[Change]:
    if isinstance(value, bool):
        yield _set("value", not value)
    elif isinstance(value, int):
        yield _set("value", value + 1)
        yield _set("value", value - 1)
    elif isinstance(value, float):
        yield _set("value", 2.0 * value if value else 1.0)
        if value:
            yield _set("value", 0.5 * value)
    elif isinstance(value, str) and value in SIDES:
        yield _set("value", SWAPPED[value])


def _calls(node: ast.Call) -> Iterator[Change]:
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    if name in SWAPPED and name not in SIDES:
        yield _renamed
    if name in DROPPED and node.args:
        yield lambda node: node.args[0]
    if name == "where" and len(node.args) == 3:
        yield _swapped_arms


def _set(field: str, value: object) -> Change:
    def change(node: ast.AST) -> ast.AST:
        setattr(node, field, value)
        return node

    return change


def _negated(node: ast.If | ast.While | ast.IfExp) -> ast.AST:
    node.test = ast.UnaryOp(ast.Not(), node.test)
    return node


def _renamed(node: ast.Call) -> ast.AST:
    if isinstance(node.func, ast.Attribute):
        node.func.attr = SWAPPED[node.func.attr]
    else:
        called = cast(ast.Name, node.func)
        called.id = SWAPPED[called.id]
    return node


def _swapped_arms(node: ast.Call) -> ast.AST:
    node.args[1:] = node.args[:0:-1]
    return node


def _reversed_pair(node: ast.Return) -> ast.AST:
    cast(ast.Tuple, node.value).elts.reverse()
    return node


def _names_type(node: ast.BinOp) -> bool:
    """Whether it is a union of types, as in isinstance."""
    if not isinstance(node.op, ast.BitOr):
        return False
    right = node.right
    name = right.attr if isinstance(right, ast.Attribute) else getattr(right, "id", "")
    return name[:1].isupper() and not name.isupper()


def _mutated(tree: ast.Module, path: Way, change: Change) -> ast.Module:
    return ast.fix_missing_locations(_changed(copy.deepcopy(tree), path, change))


def _changed(whole: Any, path: Way, change: Change) -> Any:
    if not path:
        return change(whole)
    holder = whole
    for field, place in path[:-1]:
        holder = getattr(holder, field) if place is None else getattr(holder, field)[place]
    field, place = path[-1]
    if place is None:
        setattr(holder, field, change(getattr(holder, field)))
    else:
        getattr(holder, field)[place] = change(getattr(holder, field)[place])
    return whole


def _header(statement: ast.stmt) -> ast.stmt:
    """Return a compound statement without its body, or another as it is."""
    shown = copy.copy(statement)
    if isinstance(shown, ast.FunctionDef | ast.ClassDef):
        shown.decorator_list = []
    for block in ("body", "orelse", "finalbody", "handlers"):
        if isinstance(getattr(shown, block, None), list):
            setattr(shown, block, [ast.Expr(ast.Constant(...))] if block == "body" else [])
    return shown


def _shown(statement: ast.AST) -> str:
    return " ".join(ast.unparse(statement).split())


def _lines(node: ast.AST, statement: ast.stmt) -> tuple[int, int]:
    shown = node if hasattr(node, "lineno") else statement
    line, last = shown.lineno, shown.end_lineno or shown.lineno  # type: ignore[attr-defined]
    return line, line if isinstance(getattr(shown, "body", None), list) else last
