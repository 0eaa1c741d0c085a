from __future__ import annotations

import pytest

from castray.cast_models import Cast, CastRoute, CastState
from castray.core.cast_news import is_news
from tests.core.given import cast_to


def with_target(**changes: object) -> Cast:
    cast = cast_to("m1", "m2")
    first, *others = cast.targets
    return cast.model_copy(update={"targets": (first.model_copy(update=changes), *others)})


@pytest.mark.parametrize(
    "changes",
    [
        {"state": CastState.RUNNING},
        {"waits_for": "its turn"},
        {"route": CastRoute.RELAY},
        {"node": "home/other"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_becomes_of_a_target_is_news(changes: dict[str, object]) -> None:
    assert is_news(cast_to("m1", "m2"), with_target(**changes))


def test_more_bytes_are_no_news() -> None:
    assert not is_news(cast_to("m1", "m2"), with_target(bytes_done=5, rate_bytes_per_s=1.0))
