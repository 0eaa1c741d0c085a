"""What a person writes for places, targets and rates."""

from __future__ import annotations

import click
import pytest

from castray.cast_models import ClusterTargets, LabelTargets
from castray.cli.places import Place, parse_place, parse_rate, parse_targets


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("M1:a.bin", Place("M1", "a.bin")),
        ("M1:", Place("M1", "")),
        ("M1:/data/a:b", Place("M1", "/data/a:b")),
        ("ray_cluster_001/4f2a:models/", Place("ray_cluster_001/4f2a", "models/")),
        ("a.bin", Place(None, "a.bin")),
        ("./a:b", Place(None, "./a:b")),
        ("/data/a:b", Place(None, "/data/a:b")),
        ("~/a:b", Place(None, "~/a:b")),
        ("one/two/three:four", Place(None, "one/two/three:four")),
        ("模型 1.bin", Place(None, "模型 1.bin")),
    ],
)
def test_what_stands_before_a_colon_is_a_node(text: str, place: Place) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize(("text", "word"), [(":a.bin", r"\./:a\.bin"), ("", "missing")])
def test_a_place_without_a_node_or_a_path_is_refused(text: str, word: str) -> None:
    with pytest.raises(click.UsageError, match=word):
        parse_place(text)


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("all", "all"),
        ("M1", ("M1",)),
        ("M1, M2,home/4f2a", ("M1", "M2", "home/4f2a")),
        ("castray.io/name=M*", LabelTargets(selector="castray.io/name=M*")),
        ("cluster:ray_cluster_001", ClusterTargets(cluster="ray_cluster_001")),
    ],
)
def test_targets_are_all_a_cluster_a_selector_or_names(text: str, targets: object) -> None:
    assert parse_targets(text) == targets


def test_targets_without_a_name_are_refused() -> None:
    with pytest.raises(click.UsageError, match="--to names no node"):
        parse_targets(" , ")


@pytest.mark.parametrize(
    ("text", "rate"), [("800", 800), ("500K", 512_000), ("10M", 10 << 20), ("1.5G", 3 << 29)]
)
def test_rates_are_bytes_per_second_in_multiples_of_1024(text: str, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["0", "-1M", "fast", "", "nan", "infG", "10MB"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no rate"):
        parse_rate(text)
