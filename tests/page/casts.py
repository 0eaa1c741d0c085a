"""Casts as a test has them, of a file on M3, and where the page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from castray.cast_models import Cast, CastRequest, CastSource, CastState, CastTarget
from castray.core.nodes import node_key
from castray.models import HOME_CLUSTER
from tests.page.nodes import now

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

__all__ = ["MIB", "cast_card", "key_of", "sample_cast", "target", "target_line"]

MIB = 1024**2


def key_of(name: str) -> str:
    """The key of the node with that name."""
    return node_key(HOME_CLUSTER, f"id-of-{name}")


def target(name: str, state: CastState = CastState.RUNNING, **more: Any) -> CastTarget:
    """A target of 100 MiB."""
    facts: dict[str, Any] = {"path": f"/srv/in/of-{name}", "bytes_total": 100 * MIB, **more}
    if state is CastState.COMPLETED:
        facts["bytes_done"] = facts["bytes_total"]
    return CastTarget(node=key_of(name), state=state, **facts)


def sample_cast(*targets: CastTarget, state: CastState = CastState.RUNNING, **more: Any) -> Cast:
    """A cast to these targets."""
    facts: dict[str, Any] = {
        "id": "c1",
        "request": CastRequest(
            source=CastSource(node="M3", path="models/digits.pt"), destination="in/", targets="all"
        ),
        "source": key_of("M3"),
        "bytes_total": sum(each.bytes_total or 0 for each in targets),
        "bytes_done": sum(each.bytes_done for each in targets),
        "created": now(),
        **more,
    }
    return Cast(state=state, targets=targets, **facts)


def cast_card(page: Page, cast_id: str = "c1") -> Locator:
    """The card of that cast."""
    return page.locator(f'[data-testid="cast"][data-cast="{cast_id}"]')


def target_line(card: Locator, name: str) -> Locator:
    """What a cast's card says of its target with that name."""
    return card.locator(f'[data-testid="cast-target"][data-node="{key_of(name)}"]')
