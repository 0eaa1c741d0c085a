"""One `castray up`: what it starts, watches over and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn
from urllib.parse import urlsplit

import click
from pydantic import SecretStr

from castray.api.auth import is_loopback_host
from castray.api.token_file import DEFAULT_TOKEN_FILE, read_or_create_token
from castray.cli.cluster import (
    choose_address,
    connected,
    deploy_castray,
    find_addresses,
    head_is_here,
    serve_runs,
)
from castray.cli.end import end_launched, kill_launched
from castray.cli.launched import Launched
from castray.cli.local_ray import LocalRay, Machine, plan_local_ray
from castray.cli.probes import has_monitor, is_castray_ready, look_at_port
from castray.cli.processes import ProcessId, free_port, is_own_host, is_port_free, own_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from castray.cli.cluster import Deployed
    from castray.cli.probes import PortUser
    from castray.config import Settings, WebServerSettings

__all__ = ["Session", "Token", "announce", "find_token", "interrupt_on_signals", "port_taken"]

ANSWER_TIMEOUT_S = 30.0
CHECK_INTERVAL_S = 0.2


def interrupt_on_signals() -> None:
    """Have every signal that asks this process to end do what Ctrl-C does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # What `nohup` has this process ignore, it ignores.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


class Session:
    """One `castray up`, from its first process to its last.

    Args:
        settings: What to start.
        directory: Where logs and the memory of what was started are kept.
    """

    def __init__(self, settings: Settings, directory: Path) -> None:
        self._settings = settings
        self._directory = directory
        self._state = directory / "up.json"
        self._launched: Launched | None = None
        self._ray: LocalRay | None = None
        self._command: subprocess.Popen[bytes] | None = None
        self._command_environment: dict[str, str] = {}

    def start(self) -> None:
        """Return once CastRay answers, and say where.

        Raises:
            click.ClickException: It cannot be started; the text says why and what to do.
        """
        before = Launched.load(self._state)
        if before is not None and before.is_running():
            raise click.ClickException(
                f"CastRay is up already, on the Ray cluster at {before.address}: `castray down` "
                "ends it."
            )
        cluster = self._settings.ray_cluster
        found = find_addresses() if cluster.address == "auto" else frozenset[str]()
        address = choose_address(cluster, found)
        if address is None:
            address = self._start_ray()
        serve_was_ours = before is not None and before.serve_is_ours_at(address)
        self._start_castray(address, serve_was_ours=serve_was_ours)

    def start_command(self, words: Sequence[str], *, keep_output: bool) -> None:
        """Start what is to run beside CastRay.

        Args:
            words: The program and its arguments.
            keep_output: Whether its output goes to a file, not to this terminal.
        """
        log = self._directory / "logs" / "run.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            output = file if keep_output else None
            self._command = subprocess.Popen(
                words,
                env=os.environ | self._command_environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._remember(command=ProcessId.of(self._command.pid))

    def wait(self) -> NoReturn:
        """Watch over what was started, until a signal interrupts.

        Raises:
            click.ClickException: Ray ended by itself.
        """
        while True:
            if self._ray is not None:
                self._ray.check()
            if self._command is not None and (code := self._command.poll()) is not None:
                click.echo(f"The command ended with code {code}; CastRay goes on.")
                self._command = None
            time.sleep(CHECK_INTERVAL_S)

    def detach(self) -> None:
        """Let everything go on without this process."""
        self._remember(supervisor=None)
        self._launched = None
        click.echo("It goes on in the background; `castray down` ends it.")

    def end(self) -> None:
        """End what was started; a second signal ends it the hard way."""
        if self._launched is None:
            return
        try:
            for sentence in end_launched(self._launched):
                click.echo(sentence)
        except KeyboardInterrupt:
            kill_launched(self._launched)
        self._state.unlink(missing_ok=True)

    def _start_ray(self) -> str:
        _check_listening(self._settings.web_server)
        machine = Machine(own_address(), is_port_free, free_port, has_monitor)
        plan = plan_local_ray(self._settings, os.environ, machine)
        log = self._directory / "logs" / "ray.log"
        click.echo(f"Starting Ray at {plan.address} (log: {log}) …")
        self._ray = LocalRay(plan, log)
        self._remember(
            address=plan.address,
            namespace=self._settings.ray_cluster.namespace,
            ray=self._ray.process_id,
        )
        self._ray.wait_until_up()
        monitor = self._settings.monitor
        if "embedded" not in monitor.model_fields_set:
            monitor = monitor.model_copy(update={"embedded": True})
            self._settings = self._settings.model_copy(update={"monitor": monitor})
        return plan.address

    def _start_castray(self, address: str, *, serve_was_ours: bool) -> None:
        click.echo(f"Starting CastRay on the Ray cluster at {address} …")
        token = find_token(self._settings)
        settings, namespace = token.settings, self._settings.ray_cluster.namespace
        with connected(address, namespace, carries_code=self._ray is None) as ray:
            is_new = not serve_runs()
            if is_new and head_is_here():
                _check_listening(settings.web_server)
            # From here on there is something to take away again.
            self._remember(
                address=address, namespace=namespace, serve_is_ours=is_new or serve_was_ours
            )
            deployed = deploy_castray(settings, ray)
        interrupt_on_signals()  # a driver of Ray's has handlers of its own
        _wait_until_answers(deployed.url)
        click.echo(announce(address, deployed, token, own_address()))
        self._command_environment = {"CASTRAY_URL": deployed.url, "RAY_ADDRESS": address}
        if deployed.monitor_port is not None:
            monitor_url = f"http://127.0.0.1:{deployed.monitor_port}"
            self._command_environment["CASTRAY_MONITOR_URL"] = monitor_url

    def _remember(self, **changes: Any) -> None:
        if self._launched is None:
            self._launched = Launched(supervisor=ProcessId.of(os.getpid()), **changes)
        else:
            self._launched = self._launched.model_copy(update=changes)
        self._launched.save(self._state)


class Token(NamedTuple):
    """The settings with the token that they demand, and where that is from."""

    settings: Settings
    file: Path | None = None
    """Where it is kept, if it is not in the settings."""
    new: str | None = None
    """The token itself, where it was made just now."""


def find_token(settings: Settings) -> Token:
    """Take, read or make the token, where one is needed.

    Raises:
        SettingsError: The token file cannot be used.
    """
    auth = settings.auth
    is_open = is_loopback_host(settings.web_server.host) and not auth.viewer_token
    if auth.token is not None or (is_open and auth.token_file is None):
        return Token(settings)
    file = auth.token_file or DEFAULT_TOKEN_FILE
    token, is_new = read_or_create_token(file)
    auth = auth.model_copy(update={"token": SecretStr(token)})
    return Token(settings.model_copy(update={"auth": auth}), file, token if is_new else None)


def port_taken(port: int, user: PortUser | None) -> str:
    """Who has a port that the page should have, and what to do."""
    if user is None:
        return f"Port {port} was taken just now: try again, or choose another with --port."
    if user.is_castray:
        return (
            f"Port {port} is taken by {user}: `castray down` ends it, or choose another with "
            "--port."
        )
    if user.is_monitor:
        return (
            f"Port {port} is taken by {user}: choose another for CastRay with --port; the monitor "
            "may stay where it is."
        )
    return f"Port {port} is taken by {user}: end it, or choose another with --port."


def announce(address: str, deployed: Deployed, token: Token, own: str) -> str:
    """Where everything is, for the person who started it.

    Args:
        address: Of the Ray cluster.
        deployed: What was started.
        token: A new one is shown this once.
        own: This host's address for others.
    """
    web = token.settings.web_server
    url, port = deployed.url, urlsplit(deployed.url).port
    if web.host == "0.0.0.0":
        url = f"http://{own}:{port}"
    lines = [f"Page     {url}/ui/{f'#token={token.new}' if token.new else ''}"]
    if token.file is not None:
        lines.append(f"Token    kept in {token.file}")
    if port != web.port:
        lines.append(f"         Ray Serve was there before, on port {port}: CastRay is on it too.")
    if deployed.monitor_port == port:
        lines.append(
            f"Monitor  CastRay has port {port}, which is this node's monitor's: start the monitor "
            "on another and label the node castray.io/monitor-port, or set CASTRAY_MONITOR__PORT."
        )
    elif deployed.monitor_port is not None:
        lines.append(
            f"Monitor  scripts on this machine report to http://127.0.0.1:{deployed.monitor_port}"
        )
    lines.append(f"Ray      {address}, dashboard {deployed.dashboard_url or 'off'}")
    if deployed.log_directory:
        lines.append(f"Logs     {deployed.log_directory}")
    return "\n".join(lines)


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _check_listening(web: WebServerSettings) -> None:
    if not is_own_host(web.host):
        raise click.ClickException(
            f"{web.host} is no address of this machine: choose one of its own with --host, or "
            "0.0.0.0 for all of them."
        )
    if not is_port_free(web.port):
        raise click.ClickException(port_taken(web.port, look_at_port(web.port)))


def _wait_until_answers(url: str) -> None:
    parts = urlsplit(url)
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while not is_castray_ready(parts.hostname or "", parts.port or 80):
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"CastRay was started, but does not answer at {url}, or its registry does not: "
                "the log of Ray Serve, in /tmp/ray/session_latest/logs/serve, has the cause."
            )
        time.sleep(CHECK_INTERVAL_S)
