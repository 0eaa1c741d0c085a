"""One host: run things on it, look at its processes, and do harm to it."""

from __future__ import annotations

import ctypes
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import STDOUT
from typing import TYPE_CHECKING

import aiohttp
import psutil

from tests.hosts.process import CommandFailedError, HostProcess, call

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Host"]

CLONE_NEWNET = 0x40000000
"""The network namespace, for setns(2)."""

NAMESPACES = ["--net", "--pid", "--mount", "--uts", "--ipc"]

CLEAN_ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp/home",
    "LANG": "C.UTF-8",
    "PYTHONUNBUFFERED": "1",
}


class Host:
    """One host. Process ids are those that the test process sees.

    Attributes:
        name: Its host name, known to all hosts.
        address: Its address on the bridge.
        directory: A directory that the test process and all hosts see under the same path.
        processes: All that was started on it, in order.
    """

    def __init__(self, name: str, address: str, directory: Path, link: str, first_pid: int) -> None:
        self.name = name
        self.address = address
        self.directory = directory
        self.processes: list[HostProcess] = []
        self._link = link
        self._first_pid = first_pid

    def __repr__(self) -> str:
        return f"Host({self.name}, {self.address})"

    def start(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str = "/"
    ) -> HostProcess:
        """Start a command; it ends with the host at the latest."""
        number = len(self.processes) + 1
        log = self.directory / f"{self.name}-{number}-{Path(command[0]).name}.log"
        # Without setpriv a killed nsenter would leave its command running.
        inside = ["setpriv", "--pdeathsig", "KILL", "env", f"--chdir={cwd}", *command]
        with log.open("wb") as output:
            waiter = subprocess.Popen(
                ["nsenter", "--target", str(self._first_pid), *NAMESPACES, *inside],
                env={**CLEAN_ENVIRONMENT, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,
            )
        self.processes.append(HostProcess(command, waiter, log))
        return self.processes[-1]

    def run(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str = "/",
        timeout_s: float = 60,
    ) -> str:
        """Run a command to its end, and return what it wrote.

        Raises:
            CommandFailedError: It failed or took too long.
        """
        process = self.start(command, env=env, cwd=cwd)
        try:
            code = process.wait(timeout_s)
        except CommandFailedError:
            process.stop(signal.SIGKILL)
            raise
        if code:
            raise CommandFailedError(command, code, process.output())
        return process.output()

    def reap(self) -> None:
        """Wait for everything that was started, once the host has ended."""
        for process in self.processes:
            process.wait()

    def in_network(self, command: Sequence[str]) -> list[str]:
        """What runs `command` in this host's network, and in all else on the test's machine."""
        return ["nsenter", "--target", str(self._first_pid), "--net", *command]

    def new_socket(self) -> socket.socket:
        """A TCP socket in this host's network."""
        # The thread that enters the network ends there: it need not come back.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(self._open_socket).result()

    def http(self) -> aiohttp.ClientSession:
        """An HTTP client on this host: its localhost is the host's."""
        connector = aiohttp.TCPConnector(socket_factory=lambda _: self.new_socket())
        return aiohttp.ClientSession(connector=connector)

    def pids(self, pattern: str = "") -> list[int]:
        """The host's processes whose command line matches `pattern`, without its first one."""
        namespace = _pid_namespace(self._first_pid)
        return [
            process.pid
            for process in psutil.process_iter()
            if process.pid != self._first_pid
            and namespace is not None
            and _pid_namespace(process.pid) == namespace
            and re.search(pattern, _command_line(process))
        ]

    def kill(self, target: str | int, number: int = signal.SIGKILL) -> None:
        """Signal a process, or all that match a pattern; wait until a killed one is gone.

        Raises:
            ProcessLookupError: There is none, so a test of what follows would show nothing.
        """
        pids = [target] if isinstance(target, int) else self.pids(target)
        if not pids:
            raise ProcessLookupError(f"no process on {self.name} matches {target!r}")
        processes = [psutil.Process(pid) for pid in pids]
        for process in processes:
            process.send_signal(number)
        if number == signal.SIGKILL:
            psutil.wait_procs(processes, timeout=10)

    def cut(self) -> None:
        """Pull the host's network cable."""
        call(["ip", "link", "set", self._link, "down"])

    def heal(self) -> None:
        """Plug the cable in again."""
        call(["ip", "link", "set", self._link, "up"])

    def cap(self, mbit_per_s: float) -> None:
        """Cap the link, each direction by itself."""
        limit = ["rate", f"{mbit_per_s}mbit", "burst", "512kb", "latency", "100ms"]
        self._queue("replace", "tbf", *limit)

    def uncap(self) -> None:
        """Remove the cap."""
        self._queue("delete")

    def hide(self, path: Path) -> None:
        """Put an empty directory over `path`, as if this host had never had it."""
        self.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "tmpfs", str(path)])

    def _queue(self, verb: str, *queue: str) -> None:
        call(self.in_network(["tc", "qdisc", verb, "dev", "eth0", "root", *queue]))
        call(["tc", "qdisc", verb, "dev", self._link, "root", *queue])

    def _open_socket(self) -> socket.socket:
        libc = ctypes.CDLL(None, use_errno=True)
        with Path(f"/proc/{self._first_pid}/ns/net").open() as namespace:
            if libc.setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"cannot enter the network of {self.name}")
        return socket.socket()


def _pid_namespace(pid: int) -> int | None:
    try:
        return Path(f"/proc/{pid}/ns/pid").stat().st_ino
    except OSError:
        return None


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
