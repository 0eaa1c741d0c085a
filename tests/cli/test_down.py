"""`castray down`, as far as it comes without a Ray."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

from castray.cli.launched import Launched
from castray.cli.processes import ProcessId

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import RunCastray


def unused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def test_nothing_to_end_is_no_error(castray: RunCastray) -> None:
    result = castray("down", "--address", unused_address())

    assert result.exit_code == 0
    assert result.output == "There was nothing to end.\n"


def test_what_a_detached_up_started_is_ended_once(castray: RunCastray, home: Path) -> None:
    command = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    launched = Launched(
        address=unused_address(), namespace="castray", command=ProcessId.of(command.pid)
    )
    launched.save(home / ".castray" / "up.json")

    first, second = castray("down"), castray("down", "--address", launched.address)
    command.wait()

    assert first.output == "The command was ended.\n"
    assert first.exit_code == 0
    assert second.output == "There was nothing to end.\n"


def test_an_up_that_is_still_there_is_asked_to_end(castray: RunCastray, home: Path) -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    launched = Launched(
        address=unused_address(), namespace="castray", supervisor=ProcessId.of(supervisor.pid)
    )
    launched.save(home / ".castray" / "up.json")

    result = castray("down")
    supervisor.wait()

    assert result.output.startswith(f"`castray up` (pid {supervisor.pid}) has ended")
    assert not (home / ".castray" / "up.json").exists()


def test_another_cluster_than_the_remembered_one_is_left_to_the_memory(
    castray: RunCastray, home: Path
) -> None:
    launched = Launched(address=unused_address(), namespace="castray")
    launched.save(home / ".castray" / "up.json")

    result = castray("down", "--address", unused_address())

    assert result.exit_code == 0
    assert Launched.load(home / ".castray" / "up.json") == launched
