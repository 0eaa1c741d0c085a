"""Processes and ports of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from castray.cli.processes import ProcessId, end_tree, free_port, is_port_free, own_address

if TYPE_CHECKING:
    from collections.abc import Iterator

PARENT = """
import signal, subprocess, sys
{prelude}
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""

STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN)"


def start_family(prelude: str = "") -> tuple[subprocess.Popen[str], psutil.Process]:
    """A process and its child."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(prelude=prelude)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout as output:
        return parent, psutil.Process(int(output.readline()))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
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
    assert not end_tree(remembered, 0)


def test_a_process_that_ended_but_was_not_waited_for_is_gone(
    sleeper: subprocess.Popen[bytes],
) -> None:
    remembered = ProcessId.of(sleeper.pid)

    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)

    assert remembered.find() is None


@pytest.mark.parametrize("prelude", ["", STUBBORN], ids=["willing", "stubborn"])
def test_a_process_ends_with_everything_below_it(prelude: str) -> None:
    parent, child = start_family(prelude)

    ended = end_tree(ProcessId.of(parent.pid), grace_s=0.5)
    parent.wait()

    assert ended
    assert not psutil.pid_exists(parent.pid)
    assert not child.is_running()
    assert not end_tree(ProcessId(pid=parent.pid, created_s=0), grace_s=0.5)


def test_a_port_is_free_while_nobody_listens_on_any_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        assert not is_port_free(port)
    assert is_port_free(port)


def test_a_made_up_port_is_free() -> None:
    assert is_port_free(free_port())


def test_the_own_address_is_one_of_this_machine() -> None:
    with socket.create_server((own_address(), 0)) as listener:
        assert listener.getsockname()[0] == own_address()
