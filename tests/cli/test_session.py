"""What `castray up` decides and says; what it starts is tested on real machines."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from castray.cli.cluster import Deployed
from castray.cli.launched import Launched, state_directory
from castray.cli.probes import PortUser
from castray.cli.processes import ProcessId
from castray.cli.session import Session, Token, announce, find_token, port_taken
from castray.config import load_settings
from castray.core.status import Health


def told(
    *, port: int = 8000, monitor_port: int | None = 8001, token: Token | None = None
) -> list[str]:
    """What is told of a CastRay on that port."""
    url, dashboard = f"http://127.0.0.1:{port}", "http://127.0.0.1:8265"
    deployed = Deployed(url, dashboard, monitor_port, "/tmp/ray/session_1/logs")
    token = token or Token(load_settings(environ={}))
    return announce("10.0.0.9:6379", deployed, token, "10.0.0.9").splitlines()


def test_it_tells_where_everything_is() -> None:
    assert told() == [
        "Page     http://127.0.0.1:8000/ui/",
        "Monitor  scripts on this machine report to http://127.0.0.1:8001",
        "Ray      10.0.0.9:6379, dashboard http://127.0.0.1:8265",
        "Logs     /tmp/ray/session_1/logs",
    ]


def test_a_new_token_is_shown_once_in_the_pages_address() -> None:
    settings = load_settings({"auth.token": "k3y"}, {})

    lines = told(token=Token(settings, Path("/run/token"), "k3y"))

    assert lines[0] == "Page     http://127.0.0.1:8000/ui/#token=k3y"
    assert lines[1] == "Token    kept in /run/token"
    assert "k3y" not in "\n".join(lines[1:])


def test_an_old_token_is_not_shown_but_its_place_is() -> None:
    settings = load_settings({"auth.token": "k3y"}, {})

    lines = told(token=Token(settings, Path("/run/token")))

    assert "k3y" not in "\n".join(lines)
    assert lines[1] == "Token    kept in /run/token"


def test_on_all_addresses_the_page_has_the_one_that_others_can_reach() -> None:
    settings = load_settings({"web_server.host": "0.0.0.0"}, {})

    assert told(token=Token(settings))[0] == "Page     http://10.0.0.9:8000/ui/"


def test_a_serve_that_was_there_before_keeps_its_port_and_that_is_said() -> None:
    lines = told(port=9000)

    assert lines[0] == "Page     http://127.0.0.1:9000/ui/"
    assert "Ray Serve was there before, on port 9000" in lines[1]


def test_a_monitors_port_that_castray_took_is_told_with_what_to_do() -> None:
    lines = told(monitor_port=8000)

    assert "CastRay has port 8000, which is this node's monitor's" in lines[1]
    assert "castray.io/monitor-port" in lines[1]


def test_from_outside_the_cluster_no_monitor_is_named() -> None:
    assert not any(line.startswith("Monitor") for line in told(monitor_port=None))


def test_on_loopback_no_token_is_needed(home: Path) -> None:
    settings = load_settings(environ={})

    assert find_token(settings) == Token(settings)
    assert not (home / ".castray").exists()


@pytest.mark.parametrize(
    "environ",
    [
        {"CASTRAY_WEB_SERVER__HOST": "0.0.0.0"},
        {"CASTRAY_AUTH__VIEWER_TOKEN": "l00k"},
        {"CASTRAY_AUTH__TOKEN_FILE": "~/.castray/token"},
    ],
)
def test_where_one_is_needed_a_token_is_made_and_shown_the_first_time_only(
    home: Path, environ: dict[str, str]
) -> None:
    settings = load_settings(environ=environ)

    first, second = find_token(settings), find_token(settings)

    secret = first.settings.auth.token
    assert secret is not None
    assert secret.get_secret_value() == first.new
    assert second == first._replace(new=None)
    assert (home / ".castray" / "token").stat().st_mode & 0o777 == 0o600


def test_a_token_that_was_set_is_taken(home: Path) -> None:
    settings = load_settings({"web_server.host": "0.0.0.0", "auth.token": "k3y"}, {})

    assert find_token(settings) == Token(settings)
    assert not (home / ".castray").exists()


@pytest.mark.parametrize(
    ("user", "text"),
    [
        (None, "was taken just now: try again"),
        (PortUser("haproxy", 7, Health(is_castray=True)), "haproxy (pid 7): `castray down` ends"),
        (PortUser("python3", 7, Health(is_monitor=True)), "the monitor may stay where it is"),
        (PortUser("nginx", 7, None), "nginx (pid 7): end it, or choose another with --port"),
    ],
)
def test_a_taken_port_is_told_with_who_has_it_and_what_to_do(
    user: PortUser | None, text: str
) -> None:
    message = port_taken(8000, user)

    assert message.startswith("Port 8000 ")
    assert text in message
    assert "--port" in message


def test_a_second_one_is_not_started_beside_the_first() -> None:
    running = Launched(
        address="10.0.0.9:6379", namespace="castray", supervisor=ProcessId.of(os.getpid())
    )
    running.save(state_directory() / "up.json")
    session = Session(load_settings(environ={}), state_directory())

    with pytest.raises(click.ClickException, match=r"up already, on .* 10\.0\.0\.9:6379"):
        session.start()
    session.end()

    assert Launched.load(state_directory() / "up.json") == running
