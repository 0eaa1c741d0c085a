"""A Ray of one node that this process is connected to, for benches of single actors."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import ray
from ray.util.state import list_actors

from bench.programs import OBJECT_STORE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["local_ray", "process_of"]


@contextmanager
def local_ray() -> Iterator[str]:
    """It runs until the block ends; gives a directory that lasts as long."""
    # Else Ray makes a token in the user's home, which every later Ray there would then demand.
    os.environ["RAY_AUTH_MODE"] = "disabled"
    with TemporaryDirectory(prefix="castray-bench-", ignore_cleanup_errors=True) as directory:
        ray.init(
            address="local",
            num_cpus=1,
            object_store_memory=OBJECT_STORE_BYTES,
            dashboard_port=0,
            logging_level=logging.WARNING,
            log_to_driver=False,
            _temp_dir=f"{directory}/ray",
        )
        try:
            yield directory
        finally:
            ray.shutdown()


def process_of(class_name: str) -> int:
    """The id of the process of the one living actor of that class."""
    (actor,) = list_actors(
        # Without it Ray wants to be told which, where the machine runs several.
        ray.get_runtime_context().gcs_address,
        filters=[("state", "=", "ALIVE"), ("class_name", "=", class_name)],
    )
    if actor.pid is None:
        raise RuntimeError(f"Ray does not tell the process of {actor}")
    return actor.pid
