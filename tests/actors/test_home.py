from __future__ import annotations

import pytest

from castray.actors.home import parse_task


@pytest.mark.parametrize(
    ("namespace", "actor_name", "task"),
    [
        ("work", "Trainer", "Trainer"),
        ("job", "_ray_internal_job_actor_raysubmit_1", "job raysubmit_1"),
        ("serve", "SERVE_REPLICA::detection#Detector#k3x", "detection/Detector"),
        ("serve", "SERVE_REPLICA::castray#CastRay#k3x", None),
        ("serve", "SERVE_CONTROLLER_ACTOR", None),
        ("serve", "SERVE_PROXY_ACTOR-node1", None),
        ("castray", "ClusterRegistry", None),
    ],
)
def test_what_an_actor_is_called(namespace: str, actor_name: str, task: str | None) -> None:
    assert parse_task(namespace, actor_name, "castray") == task
