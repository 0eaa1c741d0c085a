"""Casts between hosts with links of their own, which are capped, cut and healed."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.hosts.create import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.hosts.host import Host
    from tests.hosts.process import HostProcess

MIB = 1 << 20

pytestmark = pytest.mark.hosts


def start(host: Host, role: str, name: str, directory: Path, receivers: int = 1) -> HostProcess:
    """A process of the cast on that host; it works in the host's own file system."""
    command = [sys.executable, "-m", "tests.transfer.endpoint", role, "/tmp/files", "tree"]
    command += ["--name", name, "--host", host.address, "--meet", str(directory / "meet")]
    return host.start([*command, "--receivers", str(receivers)], cwd=str(REPOSITORY))


def write_source(host: Host, mib: int) -> None:
    host.run(["mkdir", "-p", "/tmp/files/tree"])
    host.run(["dd", "if=/dev/urandom", "of=/tmp/files/tree/large.bin", "bs=1M", f"count={mib}"])
    host.run(["sh", "-c", "for i in $(seq 50); do echo $i > /tmp/files/tree/$i.txt; done"])


def digest_of(host: Host) -> str:
    return host.run(
        ["sh", "-c", "cd /tmp/files/tree && cat $(ls) | sha256sum && stat -c '%n %a %.9Y' . *"]
    )


def wait_until_done(receiver: HostProcess) -> dict[str, Any]:
    line = receiver.wait_for_output(r'(?m)^\{"event": "done".*$', timeout_s=100)
    return dict(json.loads(line.group()))


def test_several_hosts_receive_from_one_and_from_each_other(
    make_hosts: Callable[[int], list[Host]], tmp_path: Path
) -> None:
    source, *receivers = make_hosts(4)
    for host in (source, *receivers):
        host.cap(200)
    write_source(source, mib=24)
    serving = start(source, "serve", "source", tmp_path, receivers=3)
    serving.wait_for_output("ready")
    processes = [
        start(host, "receive", f"r{number}", tmp_path, receivers=3)
        for number, host in enumerate(receivers)
    ]

    outcomes = [wait_until_done(process) for process in processes]

    assert all(outcome["problems"] == [] for outcome in outcomes)
    assert {digest_of(host) for host in receivers} == {digest_of(source)}
    serving.stop()
    told = json.loads(serving.output().splitlines()[-1])
    assert told["blocks_sent"] <= 1.5 * told["blocks"], "the rest came from each other"


def test_a_cast_goes_on_after_a_cut_of_the_link(
    make_hosts: Callable[[int], list[Host]], tmp_path: Path
) -> None:
    source, target = make_hosts(2)
    source.cap(80)
    write_source(source, mib=16)
    start(source, "serve", "source", tmp_path).wait_for_output("ready")
    receiver = start(target, "receive", "r0", tmp_path)
    receiver.wait_for_output("ready")
    wait_for_partial(target)

    source.cut()
    time.sleep(1.0)  # the length of the cut is what is tested
    assert not target.run(["ls", "/tmp/files"]).strip()
    source.heal()

    assert wait_until_done(receiver)["problems"] == []
    assert digest_of(target) == digest_of(source)


def wait_for_partial(host: Host) -> None:
    """Until some blocks have arrived there."""
    deadline = time.monotonic() + 60
    journal = "/tmp/files/.castray-cast1.partial/journal"
    while host.run(["sh", "-c", f"grep -c ^b {journal} || true"]).strip() in ("", "0"):
        assert time.monotonic() < deadline
