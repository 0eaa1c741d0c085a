"""Processes and ports of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from castray.cli.processes import (
    ProcessId,
    end_session,
    free_port,
    is_own_host,
    is_port_free,
    own_address,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]

LEADER = """
import signal, subprocess, sys
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
children = [subprocess.Popen(sleep), subprocess.Popen(sleep, start_new_session=True)]
print(*(child.pid for child in children), flush=True)
if sys.argv[1] != "gone":
    children[0].wait()
"""


def start_session(manner: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """A leader of a session, with a child in it and one that left it."""
    leader = subprocess.Popen(
        [sys.executable, "-c", LEADER, manner],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert leader.stdout is not None
    with leader.stdout as output:
        return leader, [psutil.Process(int(pid)) for pid in output.readline().split()]


def lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


def test_a_process_is_found_again_while_it_lives(sleeper: subprocess.Popen[bytes]) -> None:
    remembered = ProcessId.of(sleeper.pid)

    found = remembered.find()
    sleeper.kill()
    sleeper.wait()

    assert found is not None
    assert found.pid == sleeper.pid
    assert remembered.find() is None


def test_a_process_with_the_same_number_is_not_mistaken_for_it() -> None:
    remembered = ProcessId.of(os.getpid()).model_copy(update={"created_s": 1.0})

    assert remembered.find() is None
    assert not end_session(remembered, 0)


def test_a_process_that_ended_but_was_not_waited_for_is_gone(
    sleeper: subprocess.Popen[bytes],
) -> None:
    remembered = ProcessId.of(sleeper.pid)

    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert remembered.find() is None


@pytest.mark.parametrize("manner", ["willing", "stubborn"])
def test_a_leader_ends_with_everything_that_it_started(manner: str) -> None:
    leader, children = start_session(manner)
    remembered = ProcessId.of(leader.pid)

    ended = end_session(remembered, grace_s=0.5)
    leader.wait()

    assert ended
    assert not any(map(lives, children))
    assert not end_session(remembered, grace_s=0.5)


def test_what_a_leader_left_behind_is_ended_without_it() -> None:
    leader, [inside, outside] = start_session("gone")
    remembered = ProcessId(pid=leader.pid, created_s=inside.create_time())
    leader.wait()

    ended = end_session(remembered, grace_s=0.5)
    escaped = lives(outside)
    outside.kill()

    assert ended
    assert not lives(inside)
    assert escaped


def test_a_port_is_free_while_nobody_listens_on_any_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        assert not is_port_free(port)
    assert is_port_free(port)


def test_a_made_up_port_is_free() -> None:
    assert is_port_free(free_port())


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("localhost", True), ("0.0.0.0", True), ("203.0.113.7", False)],
)
def test_only_this_machines_addresses_can_be_listened_on(host: str, expected: bool) -> None:
    assert is_own_host(host) is expected


def test_the_own_address_is_one_of_this_machine() -> None:
    with socket.create_server((own_address(), 0)) as listener:
        assert listener.getsockname()[0] == own_address()
