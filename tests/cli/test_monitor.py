"""`castray monitor`, as a process."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from castray.cli.probes import has_monitor

if TYPE_CHECKING:
    from collections.abc import Iterator

MONITOR = [sys.executable, "-c", "from castray.cli import main; main()", "monitor"]


@contextmanager
def running_monitor(*arguments: str, **environ: str) -> Iterator[str]:
    """A monitor that listens; gives the address that it tells."""
    process = subprocess.Popen(
        [*MONITOR, *arguments], env=os.environ | environ, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process, process.stdout as output:
        [url] = re.findall(r"http://\S+", output.readline())
        try:
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_it_serves_where_the_flags_say() -> None:
    port = unused_port()

    with running_monitor("--host", "127.0.0.1", "--port", str(port)) as url:
        assert url == f"http://127.0.0.1:{port}"
        assert has_monitor(port)


def test_its_port_can_be_a_setting() -> None:
    port = unused_port()

    with running_monitor("--host", "127.0.0.1", CASTRAY_MONITOR__PORT=str(port)) as url:
        assert url == f"http://127.0.0.1:{port}"


def test_a_taken_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        done = subprocess.run(
            [*MONITOR, "--host", "127.0.0.1", "--port", port],
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("flag", ["--host", "--port", "--allow-remote-updates", "--config"])
def test_every_flag_is_explained(flag: str) -> None:
    done = subprocess.run([*MONITOR, "--help"], capture_output=True, text=True, check=True)

    assert flag in done.stdout
