"""The layers of the house: who may import whom, and what runs where only Ray is installed."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import pytest

import castray

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PACKAGE = Path(castray.__file__).parent

LAYERS = {
    "castray": 0,
    "castray.models": 0,
    "castray.cast_models": 0,
    "castray.changes": 0,
    "castray.chinese": 0,
    "castray.chinese_texts": 0,
    "castray.errors": 0,
    "castray.config": 0,
    "castray.setting_types": 0,
    "castray.core": 1,
    "castray.discovery": 1,
    "castray.monitor": 1,
    "castray.transfer": 1,
    "castray.store": 1,
    "castray.actors": 2,
    "castray.api": 3,
    "castray.serve_app": 4,
    "castray.cli": 4,
}
"""The longest prefix of a module's name is its part, and says its layer."""

CORE_IMPORTS = {
    "castray.core",
    "castray.models",
    "castray.cast_models",
    "castray.changes",
    "castray.errors",
    "castray.config",
}
PARTS_WITH_RAY = {"castray.actors", "castray.serve_app", "castray.cli"}

WORKER_PARTS = {
    "castray",
    "castray.models",
    "castray.cast_models",
    "castray.changes",
    "castray.chinese",
    "castray.chinese_texts",
    "castray.errors",
    "castray.core",
    "castray.discovery",
    "castray.monitor",
    "castray.transfer",
    "castray.actors",
}
"""What runs on a worker that has nothing but `ray[default]`."""

SHARED_BY_ACTORS = {
    "castray.actors",
    "castray.actors.names",
    "castray.actors.agent_links",
    "castray.actors.agent_pool",
    "castray.actors.cast_records",
    "castray.actors.cast_runs",
    "castray.actors.casts",
    "castray.actors.home",
    "castray.actors.background",
    "castray.actors.priority",
    "castray.actors.lookout",
    "castray.actors.registry_link",
    "castray.actors.stored_ids",
    "castray.actors.cluster_news",
    "castray.actors.outpost_installer",
    "castray.actors.outpost_package",
    "castray.actors.outposts",
    "castray.actors.watches",
}
"""What is not a file of one actor; only these two know those."""

LAUNCHERS = {"castray.actors.launch", "castray.actors.outpost_job"}
"""They create the actors: ours here, and those of an outpost on another cluster."""

HEAD_ONLY = {"castray.store"}
"""Parts that the registry takes along; it lives on the head, and they need no other package."""

WORKER_PACKAGES = {"aiohttp", "grpc", "prometheus_client", "psutil", "pydantic", "ray"}
"""What comes with `ray[default]`."""


@dataclass(frozen=True)
class Import:
    """One import of `name` by `module`; optional: only for types, or with its failure handled."""

    module: str
    name: str
    is_optional: bool

    def __str__(self) -> str:
        return f"{self.module} imports {self.name}"


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def part_of(module: str) -> str:
    """The part of the house that a module of ours belongs to."""
    while module not in LAYERS:
        module = module.rpartition(".")[0]
    return module


def parse_imports(module: str) -> Iterator[Import]:
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    optional = {
        inner
        for block in ast.walk(tree)
        if _is_optional(block)
        for statement in block.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        for name in _imported_names(node):
            yield Import(module, name, node in optional)


def _is_optional(block: ast.AST) -> TypeGuard[ast.If | ast.Try]:
    """Whether what the block imports may be missing at run time."""
    if isinstance(block, ast.If):
        return ast.unparse(block.test) == "TYPE_CHECKING"
    if isinstance(block, ast.Try):
        caught = [handler.type for handler in block.handlers if handler.type]
        return "ImportError" in map(ast.unparse, caught)
    return False


def _imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "the house has no relative imports"
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in MODULES else str(node.module) for name in names]
    return []


IMPORTS = [imported for module in MODULES for imported in parse_imports(module)]
INNER = [imported for imported in IMPORTS if imported.name.split(".")[0] == "castray"]
OUTER = [
    imported
    for imported in IMPORTS
    if imported.name.split(".")[0] not in {"castray", *sys.stdlib_module_names}
]


def told(imports: Iterable[Import]) -> list[str]:
    return sorted(map(str, imports))


def test_every_module_has_a_layer() -> None:
    strangers = [module for module in MODULES if part_of(module) == "castray" != module]

    assert strangers == []


def test_a_module_imports_from_no_higher_layer() -> None:
    upward = [
        imported
        for imported in INNER
        if LAYERS[part_of(imported.name)] > LAYERS[part_of(imported.module)]
    ]

    assert told(upward) == []


def test_core_imports_only_the_foundation() -> None:
    stray = [
        imported
        for imported in INNER
        if part_of(imported.module) == "castray.core" and part_of(imported.name) not in CORE_IMPORTS
    ]

    assert told(stray) == []


def test_ray_is_imported_only_by_the_actors_and_the_entry_points() -> None:
    stray = [
        imported
        for imported in OUTER
        if imported.name.split(".")[0] == "ray" and part_of(imported.module) not in PARTS_WITH_RAY
    ]

    assert told(stray) == []


def test_only_what_creates_actors_imports_their_files() -> None:
    stray = [
        imported
        for imported in INNER
        if part_of(imported.name) == "castray.actors"
        and imported.name not in SHARED_BY_ACTORS | LAUNCHERS
        and imported.module not in LAUNCHERS
    ]

    assert told(stray) == []


def test_no_import_goes_in_a_circle() -> None:
    # The package itself hands out its attributes only when they are asked for.
    graph = {
        module: {imported.name for imported in INNER if imported.module == module} - {"castray"}
        for module in MODULES
    }

    TopologicalSorter(graph).prepare()  # raises CycleError, which shows the circle


def test_what_runs_on_a_bare_worker_imports_only_what_a_bare_worker_has() -> None:
    missing = [
        imported
        for imported in OUTER
        if part_of(imported.module) in WORKER_PARTS
        and not imported.is_optional
        and imported.name.split(".")[0] not in WORKER_PACKAGES
    ]
    missing += [
        imported
        for imported in INNER
        if part_of(imported.module) in WORKER_PARTS
        and part_of(imported.name) not in WORKER_PARTS | HEAD_ONLY
    ]

    assert told(missing) == []


@pytest.mark.parametrize(
    "modules",
    [
        ["castray"],
        ["castray.monitor.service", "castray.monitor.reporter"],
        sorted(m for m in MODULES if part_of(m) not in PARTS_WITH_RAY and "__main__" not in m),
    ],
    ids=["the package", "the monitor and the reporter", "everything below the actors"],
)
def test_it_can_be_imported_where_ray_is_not_installed(modules: list[str]) -> None:
    script = f"import sys; sys.modules['ray'] = None; import {', '.join(modules)}"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.returncode == 0
