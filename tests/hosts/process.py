"""A process on a host, and what is raised when a command fails."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import time
from subprocess import PIPE, STDOUT
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["CommandFailedError", "HostProcess", "call"]

OUTPUT_POLL_S = 0.05


class CommandFailedError(Exception):
    """A command failed, or took too long (`code` None); the text has all that it wrote."""

    def __init__(self, command: Sequence[str], code: int | None, output: str) -> None:
        end = "took too long" if code is None else f"ended with {code}"
        super().__init__(f"{' '.join(command)} {end}:\n{output}")
        self.code = code
        self.output = output


class HostProcess:
    """A process that runs on a host and writes into the file `log`."""

    def __init__(self, command: Sequence[str], waiter: subprocess.Popen[bytes], log: Path) -> None:
        self.log = log
        self._command = command
        self._waiter = waiter

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return self._waiter.poll() is None

    def output(self) -> str:
        """Everything that it wrote until now."""
        return self.log.read_text(errors="replace")

    def wait_for_output(self, pattern: str, timeout_s: float = 60) -> re.Match[str]:
        """Wait until something that it wrote matches `pattern`.

        Raises:
            CommandFailedError: It ended, or the time did, before that.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            has_ended = not self.is_running
            if match := re.search(pattern, self.output()):
                return match
            if has_ended or time.monotonic() > deadline:
                raise CommandFailedError(self._command, self._waiter.poll(), self.output())
            time.sleep(OUTPUT_POLL_S)

    def wait(self, timeout_s: float = 60) -> int:
        """Wait for its end, and return its exit status.

        Raises:
            CommandFailedError: It took too long.
        """
        try:
            return self._waiter.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise CommandFailedError(self._command, None, self.output()) from None

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 30) -> int:
        """End it by a signal, and return its exit status.

        Raises:
            CommandFailedError: It does not end.
        """
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self._waiter.pid).children():
                process.send_signal(number)
        return self.wait(timeout_s)


def call(command: Sequence[str], text: str | None = None) -> None:
    """Run a short command of the test's own machine, with `text` as its input.

    Raises:
        CommandFailedError: It failed.
    """
    done = subprocess.run(command, input=text, stdout=PIPE, stderr=STDOUT, text=True, check=False)
    if done.returncode:
        raise CommandFailedError(command, done.returncode, f"{text or ''}\n{done.stdout}")
