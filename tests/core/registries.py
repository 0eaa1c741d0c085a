"""A registry to which some things have happened, and what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from castray.core.registry import RegistryState
from tests.core.given import NOON

if TYPE_CHECKING:
    from castray.core.events import Event
    from castray.models import Node

__all__ = ["registry_after", "shown"]


def registry_after(*events: Event) -> RegistryState:
    """A registry that heard of these at noon."""
    registry = RegistryState(epoch=1)
    for event in events:
        registry.apply(event, NOON)
    return registry


def shown(registry: RegistryState) -> dict[str, Node]:
    """Its nodes by their ids."""
    return {n.node_id: n for n in registry.snapshot().nodes}
