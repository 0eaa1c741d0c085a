from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.monitor.guard import is_same_machine

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hosts import Host


@pytest.mark.parametrize(
    ("peer", "own", "expected"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.53", True),
        ("::1", "::1", True),
        ("10.30.2.11", "10.30.2.11", True),
        ("::ffff:10.30.2.11", "::ffff:10.30.2.11", True),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", True),
        ("fe80::1%eth0", "fe80::1%eth0", True),
        ("10.30.2.12", "10.30.2.11", False),
        ("::ffff:10.30.2.12", "::ffff:10.30.2.11", False),
        ("fe80::2%eth0", "fe80::1%eth0", False),
    ],
)
def test_a_machine_is_known_by_the_two_addresses_of_a_connection(
    peer: str, own: str, expected: bool
) -> None:
    assert is_same_machine(peer, own) is expected


@pytest.mark.parametrize(("option", "status"), [([], 403), (["--allow-remote-updates"], 200)])
async def test_another_host_may_read_but_reports_only_where_that_is_allowed(
    make_hosts: Callable[[int], list[Host]], option: list[str], status: int
) -> None:
    node, stranger = make_hosts(2)
    node.start(["python", "-m", "castray.monitor", *option]).wait_for_output("on http://0.0.0.0")
    base = f"http://{node.address}:8000"

    async with stranger.http() as client:
        async with client.get(f"{base}/api/status") as answer:
            assert answer.status == 200
        async with client.post(f"{base}/api/update_status", json={"status": "idle"}) as answer:
            assert answer.status == status
            assert ("this machine only" in await answer.text()) == (status == 403)
    async with node.http() as client:
        answer = await client.post(f"{base}/api/update_status", json={"status": "idle"})
        assert answer.status == 200
