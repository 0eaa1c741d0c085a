"""What a person writes for a place: `NODE:PATH`, or a path on this machine."""

from __future__ import annotations

from typing import Literal, NamedTuple

import click

from castray.cast_models import ClusterTargets, LabelTargets

__all__ = ["Place", "Targets", "parse_place", "parse_rate", "parse_targets"]

CLUSTER_PREFIX = "cluster:"

UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}

Targets = tuple[str, ...] | Literal["all"] | LabelTargets | ClusterTargets


class Place(NamedTuple):
    """A path on a node, or on this machine, where `node` is None."""

    node: str | None
    path: str

    def __str__(self) -> str:
        return self.path if self.node is None else f"{self.node}:{self.path}"


def parse_place(text: str) -> Place:
    """Read `NODE:PATH`, where NODE may be a key (`CLUSTER/NODE_ID`), or a path of this machine.

    A path of this machine that has a colon in it begins with `./` or `/`.

    Raises:
        click.ClickException: The node or the path is missing.
    """
    if not text:
        raise click.UsageError("A place is missing: write NODE:PATH, or a path on this machine.")
    node, colon, path = text.partition(":")
    if not colon or node.startswith((".", "/", "~")) or node.count("/") > 1:
        return Place(None, text)
    if not node:
        raise click.UsageError(f"{text!r} names no node: write NODE:PATH, or ./{text} for a file.")
    return Place(node, path)


def parse_targets(text: str) -> Targets:
    """Read `all`, `cluster:ID`, a selector such as `castray.io/name=M*`, or `NODE,NODE,...`.

    Raises:
        click.ClickException: It names nobody.
    """
    if text == "all":
        return "all"
    if text.startswith(CLUSTER_PREFIX):
        return ClusterTargets(cluster=text[len(CLUSTER_PREFIX) :])
    if "=" in text:
        return LabelTargets(selector=text)
    nodes = tuple(filter(None, (part.strip() for part in text.split(","))))
    if not nodes:
        raise click.UsageError("--to names no node: all, cluster:ID, LABEL=PATTERN or NODE,NODE.")
    return nodes


def parse_rate(text: str) -> int:
    """Read bytes per second: `500K`, `10M` and `1.5G` are multiples of 1024.

    Raises:
        click.ClickException: That is no rate.
    """
    number, unit = (text[:-1], UNITS[text[-1]]) if text[-1:] in UNITS else (text, 1)
    try:
        rate = int(float(number) * unit)
    except (ValueError, OverflowError):
        rate = 0
    if rate < 1:
        raise click.BadParameter(f"{text!r} is no rate: write bytes per second, as 500K or 10M.")
    return rate
