"""Asking a running CastRay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from castray.api.auth import AccessPolicy
from castray.cli.client import Target, fetch_nodes, find_target
from castray.config import load_settings
from tests.core.given import members, node_facts, reported

if TYPE_CHECKING:
    from pathlib import Path

    from tests.api.memory_backend import MemoryBackend
    from tests.page.server import PageServer


def write_token(home: Path) -> None:
    file = home / ".castray" / "token"
    file.parent.mkdir()
    file.write_text("of-this-machine\n")
    file.chmod(0o600)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("10.0.0.9", "http://10.0.0.9:8080"),
    ],
)
def test_castray_is_where_the_settings_put_it(host: str, url: str) -> None:
    settings = load_settings({"web_server.host": host, "web_server.port": 8080}, {})

    assert find_target(settings, None) == (url, None)


def test_a_given_url_counts_more() -> None:
    assert find_target(load_settings(environ={}), "http://10.0.0.5:80/").url == "http://10.0.0.5:80"


@pytest.mark.parametrize("url", ["10.0.0.5:8000", "ftp://10.0.0.5", "http://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(click.ClickException, match=r"is no URL: write it like http://"):
        find_target(load_settings(environ={}), url)


def test_the_token_of_the_settings_is_sent() -> None:
    target = find_target(load_settings(environ={"CASTRAY_AUTH__TOKEN": "k3y"}), None)

    assert target.headers == {"Authorization": "Bearer k3y"}


def test_the_viewers_token_is_enough_to_ask() -> None:
    target = find_target(load_settings(environ={"CASTRAY_AUTH__VIEWER_TOKEN": "l00k"}), None)

    assert target.token == "l00k"


def test_the_token_that_castray_made_here_is_found(home: Path) -> None:
    write_token(home)

    assert find_target(load_settings(environ={}), None).token == "of-this-machine"


def test_the_token_of_this_machine_is_not_sent_to_another(home: Path) -> None:
    write_token(home)

    assert find_target(load_settings(environ={}), "http://10.0.0.5:8000").token is None
    assert find_target(load_settings(environ={}), "http://localhost:8000").token is not None


async def test_every_node_is_fetched(server: PageServer, registry: MemoryBackend) -> None:
    registry.apply(members("m1", "m2"), reported("m1"))

    nodes = await fetch_nodes(Target(server.url, None))

    assert [(node.name, node.work.status.value) for node in nodes] == [
        ("M1", "detecting"),
        ("M2", "unknown"),
    ]


async def test_nodes_that_fill_several_pages_are_all_fetched(
    server: PageServer, registry: MemoryBackend
) -> None:
    names = [f"n{number:04}" for number in range(2500)]
    registry.apply(members(*(node_facts(name, address=name) for name in names)))

    nodes = await fetch_nodes(Target(server.url, None))

    assert [node.node_id for node in nodes] == names


async def test_where_nobody_answers_it_says_what_to_do(server: PageServer) -> None:
    await server.stop()

    with pytest.raises(click.ClickException, match=r"Nothing answers at http://127.*castray up"):
        await fetch_nodes(Target(server.url, None))


class TestWithToken:
    """A CastRay that wants a token."""

    @pytest.fixture
    def access(self) -> AccessPolicy:
        """Asks for one."""
        return AccessPolicy(token="k3y")

    async def test_the_right_token_is_let_in(
        self, server: PageServer, registry: MemoryBackend
    ) -> None:
        registry.apply(members("m1"))

        assert len(await fetch_nodes(Target(server.url, "k3y"))) == 1

    @pytest.mark.parametrize(("token", "wanted"), [(None, "a token"), ("wr0ng", "another token")])
    async def test_any_other_is_told_what_to_do(
        self, server: PageServer, token: str | None, wanted: str
    ) -> None:
        with pytest.raises(click.ClickException, match=f"wants {wanted}: .*--token"):
            await fetch_nodes(Target(server.url, token))
