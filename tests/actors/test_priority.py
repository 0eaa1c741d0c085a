from __future__ import annotations

import subprocess
import sys

import pytest

# Other threads must be at the new priority too: those of Ray's core, which run before ours.
PROGRAM = """
import os, threading
from pathlib import Path
from castray.actors.priority import run_as_urgently_as_others

os.nice(7)
ended = threading.Event()
threading.Thread(target=ended.wait).start()
run_as_urgently_as_others()
threads = [int(thread.name) for thread in Path("/proc/self/task").iterdir()]
print(*{os.getpriority(os.PRIO_PROCESS, thread) for thread in threads})
ended.set()
"""

TRY = "import os; os.nice(1); os.setpriority(os.PRIO_PROCESS, 0, 0)"


def may_raise_priority() -> bool:
    return (
        subprocess.run([sys.executable, "-c", TRY], capture_output=True, check=False).returncode
        == 0
    )


def run(*prefix: str) -> str:
    command = [*prefix, sys.executable, "-c", PROGRAM]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(not may_raise_priority(), reason="needs the right to raise a priority")
def test_every_thread_leaves_the_background() -> None:
    assert run() == "0"


@pytest.mark.skipif(not may_raise_priority(), reason="needs a right that can be taken away")
def test_without_the_right_to_it_all_stays_as_it_is() -> None:
    assert run("setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice") == "7"
