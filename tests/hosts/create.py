"""Making hosts out of namespaces, and removing them."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from subprocess import PIPE
from typing import TYPE_CHECKING

import psutil

from tests.hosts.host import Host
from tests.hosts.process import CommandFailedError, call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CACHES", "REPOSITORY", "create_hosts", "why_no_hosts"]

REPOSITORY = Path(__file__).resolve().parents[2]

CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "castray-tests"
"""Environments with other sets of packages, made once; every host sees them."""

UNSHARE = ["unshare", "--net", "--pid", "--mount", "--uts", "--ipc"]
UNSHARE += ["--fork", "--kill-child", "--mount-proc"]

# Ignoring SIGCHLD makes the kernel reap the orphans that fall to a host's first process.
FIRST_PROCESS = """
set -e
name=$1 hosts_file=$2; shift 2
mount --rbind /tmp /mnt
mount -t tmpfs -o size=4g,mode=1777 tmpfs /tmp
mount -t tmpfs -o size=1g,mode=1777 tmpfs /dev/shm
for path; do
  case $path in /tmp/*) mkdir -p "$path"; mount --bind "/mnt/${path#/tmp/}" "$path" ;; esac
done
umount -l /mnt
mount --bind "$hosts_file" /etc/hosts
mount --bind /dev/null /etc/resolv.conf
mkdir /tmp/home
hostname "$name"
trap '' CHLD
echo ready
exec cat
"""


@cache
def why_no_hosts() -> str | None:
    """Why this process cannot make hosts, or None when it can."""
    if os.geteuid() != 0:
        return "hosts need root, for network namespaces"
    missing = [tool for tool in ("ip", "tc", "nsenter", "setpriv") if not shutil.which(tool)]
    if missing:
        return f"hosts need {', '.join(missing)} (Debian: iproute2 and util-linux)"
    probe = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    return f"hosts cannot be made here: {probe.stderr.strip()}" if probe.returncode else None


@contextmanager
def create_hosts(count: int, directory: Path) -> Iterator[list[Host]]:
    """Make hosts h1, h2, ... that all see `directory`; the logs of what they run go there.

    Raises:
        CommandFailedError: The machine does not let us.
    """
    with ExitStack() as stack:
        bridge, net = stack.enter_context(_bridge())
        addresses = {f"h{number}": f"{net}.{10 + number}" for number in range(1, count + 1)}
        lines = [f"{address} {name}" for name, address in addresses.items()]
        (directory / "hosts").write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))
        yield [
            stack.enter_context(_host(name, address, bridge, directory))
            for name, address in addresses.items()
        ]


@contextmanager
def _bridge() -> Iterator[tuple[str, str]]:
    """A bridge of our own, and the first three numbers of the addresses on it."""
    _delete_devices("castray*", _is_stale)
    for number in range(1, 255):
        bridge, net = f"castray{number}", f"10.77.{number}"
        with contextlib.suppress(CommandFailedError):
            _ip(f"link add {bridge} type bridge")
            break
    else:
        raise RuntimeError("254 bridges are in use: `ip link` shows them")
    try:
        _ip(
            f"link set {bridge} alias {os.getpid()}",
            f"addr add {net}.1/24 dev {bridge}",
            f"link set {bridge} up",
        )
        # Unacknowledged data can keep a network, and its link, alive for minutes.
        _delete_devices(f"{bridge}.*")
        yield bridge, net
    finally:
        _delete_devices(f"{bridge}.*")
        _ip(f"link delete {bridge}")


def _delete_devices(pattern: str, condition: Callable[[Path], bool] = Path.exists) -> None:
    for device in Path("/sys/class/net").glob(pattern):
        with contextlib.suppress(CommandFailedError, FileNotFoundError):
            if condition(device):
                _ip(f"link delete {device.name}")


def _is_stale(device: Path) -> bool:
    """Whether a bridge has lost its test process."""
    owner = (device / "ifalias").read_text().strip()
    return owner != "" and not psutil.pid_exists(int(owner))


@contextmanager
def _host(name: str, address: str, bridge: str, directory: Path) -> Iterator[Host]:
    with ExitStack() as after_its_end, _first_process(name, directory) as first_pid:
        host = Host(name, address, directory, f"{bridge}.{name}", first_pid)
        after_its_end.callback(host.reap)
        _plug_in(host, bridge, first_pid)
        yield host


@contextmanager
def _first_process(name: str, directory: Path) -> Iterator[int]:
    CACHES.mkdir(parents=True, exist_ok=True)
    visible = {str(directory), str(REPOSITORY), str(CACHES), sys.prefix, sys.base_prefix}
    command = ["sh", "-c", FIRST_PROCESS, "first", name, str(directory / "hosts"), *visible]
    # A session of its own: Ctrl-C reaches only the test process, which closes the hosts in order.
    with subprocess.Popen(
        [*UNSHARE, *command], stdin=PIPE, stdout=PIPE, start_new_session=True
    ) as unshare:
        if not unshare.stdout or unshare.stdout.readline() != b"ready\n":
            raise CommandFailedError(command, unshare.wait(), "what it wrote is above")
        yield psutil.Process(unshare.pid).children()[0].pid


def _plug_in(host: Host, bridge: str, first_pid: int) -> None:
    link = f"{bridge}.{host.name}"
    _ip(
        f"link add {link} type veth peer name eth0 netns {first_pid}",
        f"link set {link} master {bridge} up",
    )
    # Ray finds its address by the default route; nobody answers there, so nothing leaves.
    _ip(
        "link set lo up",
        "link set eth0 up",
        f"addr add {host.address}/24 dev eth0",
        f"route add default dev eth0 src {host.address}",
        inside=host,
    )


def _ip(*changes: str, inside: Host | None = None) -> None:
    command = ["ip", "-batch", "-"]
    call(inside.in_network(command) if inside else command, "\n".join(changes))
