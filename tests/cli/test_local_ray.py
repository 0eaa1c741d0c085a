"""The plan of a local Ray: which ports, which options, which environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.cli.local_ray import Machine, plan_local_ray
from castray.config import load_settings

if TYPE_CHECKING:
    from castray.cli.local_ray import LocalRayPlan

FIRST_FREE = 50000


def plan(
    *,
    taken: frozenset[int] = frozenset(),
    monitors: frozenset[int] = frozenset(),
    flags: dict[str, object] | None = None,
    environ: dict[str, str] | None = None,
) -> LocalRayPlan:
    free = iter(range(FIRST_FREE, 65536))
    machine = Machine(
        "10.0.0.9",
        is_free=lambda port: port not in taken | monitors,
        any_free=lambda: next(free),
        has_monitor=monitors.__contains__,
    )
    return plan_local_ray(load_settings(flags, {}), environ or {}, machine)


def option(planned: LocalRayPlan, name: str) -> str:
    return next(word.partition("=")[2] for word in planned.command if word.startswith(f"--{name}="))


def monitor_port_of(planned: LocalRayPlan) -> int:
    """What the new node says of its monitor."""
    label, _, port = option(planned, "labels").partition("=")
    assert label == "castray.io/monitor-port"
    return int(port)


def test_on_a_free_machine_ray_has_its_usual_ports() -> None:
    planned = plan()

    assert planned.command[2:6] == ("ray.scripts.scripts", "start", "--head", "--block")
    assert planned.address == "10.0.0.9:6379"
    assert option(planned, "node-ip-address") == "10.0.0.9"
    assert option(planned, "port") == "6379"
    assert option(planned, "dashboard-port") == "8265"
    assert option(planned, "ray-client-server-port") == "10001"


def test_a_port_that_is_taken_is_replaced_by_a_free_one() -> None:
    planned = plan(taken=frozenset({6379, 8265, FIRST_FREE}))

    assert option(planned, "port") == str(FIRST_FREE + 1)
    assert planned.address == f"10.0.0.9:{FIRST_FREE + 1}"
    assert option(planned, "dashboard-port") == str(FIRST_FREE + 2)


def test_no_two_things_get_the_same_port() -> None:
    planned = plan(flags={"web_server.port": 8265, "monitor.port": 10001})

    ports = [option(planned, name) for name in ("port", "dashboard-port", "ray-client-server-port")]
    ports += [value for name, value in planned.environment.items() if name.endswith("_PORT")]
    assert len({*ports, "8265", "10001"}) == len(ports) + 2


@pytest.mark.parametrize(
    ("web_port", "monitor_port", "expected"),
    [(8000, 8000, 8001), (9000, 8000, 8000), (8000, 8001, 8001), (65535, 65535, 1)],
)
def test_the_monitor_keeps_its_port_unless_the_page_has_it(
    web_port: int, monitor_port: int, expected: int
) -> None:
    planned = plan(flags={"web_server.port": web_port, "monitor.port": monitor_port})

    assert monitor_port_of(planned) == expected


def test_a_monitor_that_is_there_is_found_at_its_port() -> None:
    assert monitor_port_of(plan(monitors=frozenset({8001}))) == 8001


def test_another_service_on_the_monitors_port_moves_the_monitor() -> None:
    assert monitor_port_of(plan(taken=frozenset({8001}))) == FIRST_FREE


def test_haproxy_is_on_and_the_environments_own_word_counts_more() -> None:
    planned = plan(environ={"RAY_SERVE_ENABLE_HA_PROXY": "0", "PATH": "/bin"})

    assert plan().environment["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
    assert planned.environment["RAY_SERVE_ENABLE_HA_PROXY"] == "0"
    assert planned.environment["PATH"] == "/bin"


def test_an_address_for_drivers_does_not_reach_the_new_head() -> None:
    assert "RAY_ADDRESS" not in plan(environ={"RAY_ADDRESS": "10.0.0.1:6379"}).environment
