"""The files around the code: what they promise works, and they depend on no place."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

REPOSITORY = Path(__file__).resolve().parents[1]

BINARY_SUFFIXES = {".png", ".ico", ".woff2", ".db"}

PIN = re.compile(r"[a-z0-9-]+==[a-z0-9.+!]+( ; [^/]+)?")

# In brackets, so that this is no find.
INSTALLED_FROM = re.compile(r"(?<![a-z])(pip|uv|npm|npx|yarn)(_[a-z_]+)?\b.*:[/]{2}", re.IGNORECASE)


def tracked_texts() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in BINARY_SUFFIXES]


def make_targets() -> set[str]:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))


def command_blocks(document: str) -> str:
    """Everything in fenced blocks: what a reader may paste into a shell."""
    return "\n".join(re.findall(r"^```[^\n]*\n(.*?)^```", document, re.MULTILINE | re.DOTALL))


# Where packages come from is for each machine to say.


def test_the_constraints_are_nothing_but_pinned_versions() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()

    others = [line for line in lines if not PIN.fullmatch(line)]

    assert lines
    assert others == []


def test_the_lock_file_of_the_page_has_no_addresses_of_packages() -> None:
    text = (REPOSITORY / "frontend" / "package-lock.json").read_text(encoding="utf-8")

    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}

    assert all("integrity" in entry for entry in packages.values())
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


@pytest.mark.parametrize(
    "name",
    ["Makefile", "pyproject.toml", "hatch_build.py", "frontend/package.json", "frontend/.npmrc"],
)
def test_what_installs_packages_names_no_address(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")

    assert "://" not in text


def test_no_tracked_file_says_where_to_install_packages_from() -> None:
    finds = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:80]}"
        for path in tracked_texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if INSTALLED_FROM.search(line)
    ]

    assert finds == []


def test_the_cluster_file_for_ray_up_fits_rays_own_schema() -> None:
    text = (REPOSITORY / "deploy" / "ray-cluster.yaml").read_text(encoding="utf-8")

    config = prepare_config(yaml.safe_load(text))

    validate_config(config)  # raises an error that names the key


@pytest.mark.parametrize("path", sorted(REPOSITORY.glob("*.md")), ids=lambda p: p.name)
def test_every_make_command_of_a_document_is_a_target(path: Path) -> None:
    used = set(re.findall(r"\bmake ([a-z-]+)", command_blocks(path.read_text(encoding="utf-8"))))

    assert used - make_targets() == set()
