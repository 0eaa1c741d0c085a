"""Which Ray cluster `castray up` uses."""

from __future__ import annotations

import socket

import click
import pytest

from castray.cli.cluster import choose_address, connected, reaches
from castray.config import RayClusterSettings

HERE = "10.0.0.1:6379"
OTHER = "10.0.0.1:6380"


def test_auto_is_the_one_cluster_of_this_machine() -> None:
    assert choose_address(RayClusterSettings(), {HERE}) == HERE


def test_auto_starts_one_where_there_is_none() -> None:
    assert choose_address(RayClusterSettings(), set()) is None


def test_several_clusters_are_listed_and_not_guessed_between() -> None:
    with pytest.raises(click.ClickException, match=f"{HERE}, {OTHER}.*--address"):
        choose_address(RayClusterSettings(), {OTHER, HERE})


def test_where_no_ray_may_be_started_its_absence_is_an_error() -> None:
    with pytest.raises(click.ClickException, match="fallback_to_local is false"):
        choose_address(RayClusterSettings(fallback_to_local=False), set())


def test_local_is_a_new_one_whatever_runs() -> None:
    assert choose_address(RayClusterSettings(address="local"), {HERE}) is None


def test_a_given_address_is_taken_as_it_is() -> None:
    settings = RayClusterSettings(address="ray://10.0.0.5:10001")

    assert choose_address(settings, {HERE, OTHER}) == "ray://10.0.0.5:10001"


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}", "localhost:{}"])
def test_an_address_is_reached_where_somebody_listens(form: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = form.format(listener.getsockname()[1])

        assert reaches(address)
    assert not reaches(address)


def test_an_address_where_nobody_is_fails_at_once_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

    with (
        pytest.raises(click.ClickException, match=f"No Ray cluster answers at {address}"),
        connected(address, "castray", carries_code=False),
    ):
        pytest.fail("nobody is there to be connected to")
