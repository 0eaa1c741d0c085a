from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.transfer.site import Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def make_host(tmp_path: Path) -> Iterator[Callable[[str], Host]]:
    """Makes hosts that end with the test."""
    with ExitStack() as stack:

        def make(name: str) -> Host:
            root = tmp_path / name
            root.mkdir()
            host = Host(name, root)
            stack.callback(host.server.close)
            return host

        yield make


@pytest.fixture
def source(make_host: Callable[[str], Host]) -> Host:
    """The host that casts."""
    return make_host("source")


@pytest.fixture
def target(make_host: Callable[[str], Host]) -> Host:
    """A host that receives."""
    return make_host("target")
