"""What sits on a monitor's port and is none that can be believed: unknown, with the reason."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.client import Client
    from tests.system.conftest import Edge

pytestmark = pytest.mark.timeout(300)

FAULTY_MONITOR = Path(__file__).with_name("faulty_monitor.py")

OTHERS_WITHIN_S = 5.0
"""A fault that hung what it should not would hold the other nodes' news for longer."""


@contextmanager
def faulty_monitor(edge: Edge, fault: str) -> Iterator[None]:
    """Put that fault in the place of M3's monitor."""
    edge.worker.stop_monitor()
    monitor = edge.worker.host.start(["python", str(FAULTY_MONITOR), fault])
    try:
        monitor.wait_for_output("listening")
        yield
    finally:
        monitor.stop()
        edge.worker.start_monitor()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("garbage", "monitor_bad_answer"),
        ("a huge body", "monitor_too_large"),
        ("a byte a second", "monitor_timeout"),
        ("HTTP 500", "monitor_http_error"),
        ("an unknown status", "monitor_bad_status"),
        ("another service", "not_a_monitor"),
    ],
)
async def test_a_monitor_that_makes_no_sense_leaves_its_node_unknown_and_the_others_alone(
    edge: Edge, castray: Client, fault: str, code: str
) -> None:
    with faulty_monitor(edge, fault):
        record = await castray.wait_for_node(
            "M3", lambda node: bool((node["work"]["reason"] or {}).get("code") == code), 20
        )
        classic = (await castray.fetch_dashboard_nodes())["M3"]
        await edge.head.report("detecting")
        await castray.wait_for_status("M1", "detecting", OTHERS_WITHIN_S)

    assert record["work"]["status"] == "unknown"
    assert record["work"]["reason"]["detail"]
    assert record["work"]["stats"] is None
    assert record["state"] == "alive"
    assert record["load"]["cpu_percent"] is not None
    assert classic["workStatus"] == "idle"
    assert classic["workStatusConfirmed"] is False
    assert classic["monitor"]["reachable"] is False
    assert await castray.wait_for_status("M3", "idle", 20)
