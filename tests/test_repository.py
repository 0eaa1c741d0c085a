"""The files around the code: what they promise works, and they depend on no place."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

REPOSITORY = Path(__file__).resolve().parents[1]

BINARY_SUFFIXES = {".png", ".ico", ".woff2", ".db"}

# Where packages come from is for each machine to say. In brackets, so that this is no find.
PACKAGE_HOSTS = re.compile(
    r"registry[.]npmjs|registry[.]yarnpkg|pypi[.]org/simple|pythonhosted[.]org|index-url\s*="
    r'|"resolved"\s*:'
)


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


def test_no_tracked_file_names_a_host_that_packages_come_from() -> None:
    finds = [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:80]}"
        for path in tracked_texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PACKAGE_HOSTS.search(line)
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
