"""Finds in the sources every text that tells what goes wrong, without running them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import castray
from castray import errors
from castray.errors import CastError, ExternalClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(castray.__file__).parent

SAMPLE = "7"
"""Stands for every value that is known only at run time."""

MAKERS = {
    **{
        name: 1
        for name, error in vars(errors).items()
        if isinstance(error, type) and issubclass(error, (CastError, ExternalClusterError))
    },
    "LaterError": 1,
    "mismatch": 1,
    "InvalidRequestError": 0,
    "TargetFailed": 1,
    "TargetWaits": 1,
    "_take_no_way": 2,
    "_try_again": 2,
    "_lose": 1,
    "_fail": 1,
    "_Look": 3,
    "Sightings": 1,
    "_invalid": 1,
    "refuse": 1,
    "refused": 1,
    "skip": 1,
    "went_down": 1,
}
"""What is called with such a text, and as which of its arguments, the first being 0."""

KEYS = {"problem", "error", "waits_for"}
"""What such texts are called in records, where those are made."""

CLUSTER_REASONS = ("CLUSTER_", "FEED_LOST")
"""Of these reasons the detail is such a text; for the others the page has sentences."""

ANSWERS = {"_name_problem", "_problem", "absence", "explain", "refusal"}
"""Functions whose answers are such texts."""

TABLES = {"PROBLEMS", "waits"}
"""What has such texts as values."""

QUIET = ("api/external.py", "cli/", "config.py", "discovery/sources.py", "monitor/")
"""What raises nothing of casts, or tells the command line."""


class Raised(NamedTuple):
    """A text with what it is about; None: nothing, or what is known only at run time."""

    text: str
    subject: str | None
    place: str


@dataclass(frozen=True)
class Source:
    """A file, and the function in it that is looked at."""

    path: Path
    tree: ast.Module
    function: ast.AST | None = None

    def values_of(self, name: str) -> list[ast.expr]:
        """Everything that a name of a function or of the file may stand for."""
        for scope in (self.function, self.tree):
            if scope is not None and (found := list(_assigned(scope, name))):
                return found
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and name in [a.name for a in node.names]:
                parts = str(node.module).split(".")[1:]
                path = PACKAGE.joinpath(*parts).with_suffix(".py")
                if str(node.module).startswith("castray.") and path.exists():
                    return list(_assigned(parse(path), name))
        return []

    def texts_of(self, expression: ast.expr) -> list[str]:
        """Every text that an expression may come to; none where that is made elsewhere."""
        match expression:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=values):
                return _joined(self.texts_of(value) or [SAMPLE] for value in values)
            case ast.FormattedValue(value=ast.Name() | ast.Subscript() as value):
                return [text for text in self.texts_of(value) if text]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                sides = [self.texts_of(left), self.texts_of(right)]
                return _joined(side or [SAMPLE] for side in sides) if any(sides) else []
            case ast.IfExp(body=body, orelse=other):
                return [*self.texts_of(body), *self.texts_of(other)]
            case ast.BoolOp(values=values):
                return [text for value in values for text in self.texts_of(value)]
            case ast.Tuple(elts=elements):
                return [text for element in elements for text in self.texts_of(element)]
            case ast.Subscript(value=value, slice=ast.Slice()):
                return self.texts_of(value)
            case ast.Name(id=name):
                return [text for value in self.values_of(name) for text in self.texts_of(value)]
        return []


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def find_raised() -> Iterator[Raised | str]:
    """Every such text; or the source of an expression that passes one on."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if not str(path.relative_to(PACKAGE)).startswith(QUIET):
            yield from _find_in(Source(path, parse(path)), parse(path))


def _find_in(source: Source, scope: ast.AST) -> Iterator[Raised | str]:
    for node in ast.iter_child_nodes(scope):
        inner = source
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inner = Source(source.path, source.tree, node)
        for text, subject in _told_by(node, source.function):
            yield from _raised(inner, text, subject)
        yield from _find_in(inner, node)


def _told_by(node: ast.AST, function: ast.AST | None) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments):
            place = MAKERS.get(name, len(arguments))
            if place < len(arguments):
                is_error = place == 1 and name.endswith("Error")
                yield arguments[place], arguments[0] if is_error else None
            keys = KEYS | {"detail"} if _is_of_cluster(node.keywords) else KEYS
            yield from ((k.value, None) for k in node.keywords if k.arg in keys)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value in KEYS:
                    yield value, None
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)) as value):
            yield from [(value, None)] if name in KEYS and text else []
        case ast.Return(value=ast.expr() as value) if getattr(function, "name", "") in ANSWERS:
            yield value, None
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(values=values)):
            yield from ((value, None) for value in values if name in TABLES)
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))], value=value):
            yield from [(value, None)] if name in TABLES else []


def _is_of_cluster(keywords: list[ast.keyword]) -> bool:
    codes = [k.value.attr for k in keywords if isinstance(k.value, ast.Attribute)]
    return any(code.startswith(CLUSTER_REASONS) for code in codes)


def _raised(source: Source, text: ast.expr, subject: ast.expr | None) -> Iterator[Raised | str]:
    place = f"{source.path.relative_to(PACKAGE)}:{text.lineno}"
    about = source.texts_of(subject) if subject is not None else []
    found = source.texts_of(text)
    if not found and not isinstance(text, ast.Constant):
        yield f"{place} {ast.unparse(text)}"
    for whole in found:
        if not any(map(str.isalpha, whole)):
            yield f"{place} {ast.unparse(text)}"
            continue
        yield Raised(whole, about[0] if about else None, place)


def _assigned(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    # Of a file only what stands at its top is known to all of it.
    for node in scope.body if isinstance(scope, ast.Module) else ast.walk(scope):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    yield from _matching(target, value, name)
            case ast.AnnAssign(target=ast.Name(id=known), value=ast.expr() as value):
                yield from [value] if known == name else []


def _matching(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    match target, value:
        case ast.Name(id=known), _ if known == name:
            yield value
        case ast.Tuple(elts=names), ast.Tuple(elts=values):
            for one, other in zip(names, values, strict=True):
                yield from _matching(one, other, name)


def _joined(pieces: Iterator[list[str]]) -> list[str]:
    return ["".join(parts) for parts in product(*pieces)]
