"""What casts are measured against: other ways to bring a file from one host to another."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from bench.programs import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts import Host

__all__ = ["Nginx", "ObjectStore", "Rsync", "iperf3", "missing_programs"]

PROGRAMS = {"iperf3": "iperf3", "nginx": "nginx", "curl": "curl", "rsync": "rsync"}
"""By the name of the Debian package."""

NGINX_CONFIG = """
daemon off;
pid /tmp/nginx.pid;
error_log stderr;
user root;
events {{}}
http {{
  access_log off;
  sendfile on;
  server {{ listen {address}:8080; root {root}; }}
}}
"""

RSYNC_CONFIG = """
use chroot = no
uid = 0
gid = 0
pid file = /tmp/rsyncd.pid
[files]
path = {root}
"""

LONG_S = 300.0


def missing_programs() -> list[str]:
    """The Debian packages that are missing here."""
    return [package for package, program in PROGRAMS.items() if not shutil.which(program)]


def iperf3(source: Host, target: Host, size_bytes: int) -> float:
    """Seconds for so many bytes of one TCP stream, received and thrown away."""
    server = target.start(["iperf3", "--server", "--one-off", "--forceflush"])
    server.wait_for_output("listening")
    command = ["iperf3", "--client", target.address, "--bytes", str(size_bytes), "--json"]
    sums = json.loads(source.run(command, timeout_s=LONG_S))["end"]
    server.wait()
    return size_bytes / (float(sums["sum_received"]["bits_per_second"]) / 8)


class Nginx:
    """nginx on the source, and curl on the target.

    Args:
        source: Serves `root`.
        root: A directory of that host.
    """

    def __init__(self, source: Host, root: Path) -> None:
        self._url = f"http://{source.address}:8080"
        config = source.directory / "nginx.conf"
        config.write_text(NGINX_CONFIG.format(address=source.address, root=root))
        source.start(["nginx", "-c", str(config)])

    def copy(self, target: Host, path: str, new_path: Path) -> float:
        """The seconds it took."""
        command = ["curl", "--silent", "--show-error", "--fail", "--retry-connrefused"]
        command += ["--retry", "5", "--output", str(new_path), f"{self._url}/{path}"]
        return _timed(target, command)


class Rsync:
    """An rsync daemon on the source, and rsync on the target.

    Args:
        source: Serves `root`.
        root: A directory of that host.
    """

    def __init__(self, source: Host, root: Path) -> None:
        self._url = f"rsync://{source.address}:8730/files"
        config = source.directory / "rsyncd.conf"
        config.write_text(RSYNC_CONFIG.format(root=root))
        source.start(["rsync", "--daemon", "--no-detach", "--port=8730", f"--config={config}"])

    def copy(self, target: Host, path: str, new_path: Path) -> float:
        """The seconds it took, for a file or a directory."""
        command = ["rsync", "--archive", "--whole-file", f"{self._url}/{path}", str(new_path)]
        return _timed(target, command)


class ObjectStore:
    """A Ray task on the target that gets the file's pieces from an actor on the source.

    Args:
        address: Of the Ray cluster that both belong to.
        source: Has the file.
    """

    def __init__(self, address: str, source: Host) -> None:
        self._address = address
        self._source = source

    def copy(self, target: Host, path: Path, new_path: Path) -> float:
        """The seconds it took, once everything had been started."""
        command = ["python", "-m", "bench.object_store_copy", self._address]
        command += [self._source.address, str(path), str(new_path)]
        output = target.run(command, cwd=str(REPOSITORY), timeout_s=LONG_S)
        return float(output.rpartition("SECONDS ")[2])


def _timed(host: Host, command: list[str]) -> float:
    """The seconds between a command's start and its end, as its host sees them."""
    script = 'TIMEFORMAT="SECONDS %3R"; time "$@"'
    output = host.run(["bash", "-c", script, "bash", *command], timeout_s=LONG_S)
    return float(output.rpartition("SECONDS ")[2])
