"""One real local Ray for the actor tests; each test has a namespace, and so actors, of its own."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
import ray

from castray.actors.launch import remove_actors
from castray.actors.names import ActorSettings, ExternalSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OBJECT_STORE_BYTES = 80_000_000

_numbers = itertools.count()


@pytest.fixture(scope="package")
def local_ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Ray of one node, ended with these tests: it would take its part from all others."""
    with pytest.MonkeyPatch.context() as patch:
        # Else Ray makes a token in the user's home, which every later Ray there would then demand.
        patch.setenv("RAY_AUTH_MODE", "disabled")
        ray.init(
            num_cpus=1,
            object_store_memory=OBJECT_STORE_BYTES,
            dashboard_port=0,
            log_to_driver=False,
            _temp_dir=str(tmp_path_factory.mktemp("ray")),
        )
        yield
        ray.shutdown()


@pytest.fixture
def settings(local_ray: None, tmp_path: Path) -> Iterator[ActorSettings]:
    """Settings of a CastRay that no other test shares, whose actors end with the test."""
    settings = ActorSettings(
        store_path=str(tmp_path / "castray.db"),
        namespace=f"castray-{next(_numbers)}",
        # Whatever else this machine runs is none of the tests' business.
        external=ExternalSettings(enabled=False),
    )
    yield settings
    remove_actors(settings.namespace)
