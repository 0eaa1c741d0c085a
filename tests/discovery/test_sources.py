from __future__ import annotations

from pathlib import Path
from typing import get_args

from castray.config import DiscoveryMethod
from castray.discovery.sources import make_sources

METHODS = get_args(DiscoveryMethod)


def test_every_method_that_can_be_set_is_a_source() -> None:
    sources = make_sources(METHODS, temp_dir=Path("/tmp/ray"))

    assert {source.name for source in sources} == set(METHODS)


def test_only_the_methods_that_are_set_are_used_the_best_informed_first() -> None:
    sources = make_sources(["temp_dir", "process_scan"], temp_dir=Path("/tmp/ray"))

    assert [source.name for source in sources] == ["process_scan", "temp_dir"]
