from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from castray.api import feed as feed_module
from castray.api.auth import AccessPolicy
from castray.cast_models import Cast, CastAction, CastProblem, CastRequest, CastState
from castray.core.events import CastChanged
from castray.errors import (
    AmbiguousNameError,
    CastError,
    CastRayError,
    InvalidRequestError,
    NotFoundError,
    PeerError,
    SourceFileError,
    TargetFileError,
    UnsafePathError,
)
from castray.transfer.destination import PROBLEMS
from tests.api.waiting import until
from tests.core.given import cast_to

if TYPE_CHECKING:
    import httpx

    from tests.api.conftest import ConnectApi
    from tests.api.memory_backend import MemoryBackend

CAST = {"source": {"node": "m1", "path": "x"}, "destination": "in/", "targets": ["m2"]}
MISSING = f"cannot be read: {os.strerror(errno.ENOENT)}"


async def test_a_cast_that_began_is_answered_with_the_way_to_it(
    api: httpx.AsyncClient, registry: MemoryBackend
) -> None:
    asked: list[CastRequest] = []

    async def begin(request: CastRequest) -> Cast:
        asked.append(request)
        return cast_to("m2", id_="c1", source="m1")

    registry.on_cast = begin

    answer = await api.post("/api/casts", json=CAST)

    assert answer.status_code == 202
    assert answer.headers["location"] == "/api/casts/c1"
    assert Cast.model_validate(answer.json()).id == "c1"
    assert asked == [CastRequest.model_validate(CAST)]


async def test_a_dry_run_begins_nothing_and_says_so(
    api: httpx.AsyncClient, registry: MemoryBackend
) -> None:
    async def plan(request: CastRequest) -> Cast:
        assert request.dry_run
        return cast_to("m2", bytes_total=42)

    registry.on_cast = plan

    answer = await api.post("/api/casts", json=CAST | {"dry_run": True})

    assert answer.status_code == 200
    assert "location" not in answer.headers
    assert answer.json()["bytes_total"] == 42


@pytest.mark.parametrize(
    ("wrong", "location"),
    [
        ({"source": {"node": "m1", "path": ""}}, "body.source.path"),
        ({"destination": ""}, "body.destination"),
        ({"targets": []}, "body.targets"),
        ({"if_exists": "ask"}, "body.if_exists"),
        ({"bandwidth_limit": 0}, "body.bandwidth_limit"),
        ({"mode": "pigeon"}, "body.mode"),
        ({"speed": "fast"}, "body.speed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_request_that_makes_no_sense_is_told_what_is_wrong(
    api: httpx.AsyncClient, wrong: dict[str, Any], location: str
) -> None:
    answer = await api.post("/api/casts", json=CAST | wrong)

    assert answer.status_code == 422
    assert any(e["location"].startswith(location) for e in answer.json()["errors"])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UnsafePathError("/etc", "lies outside of what this node shares."), 403),
        (SourceFileError("/srv/x", MISSING), 404),
        (SourceFileError("/srv/x", "changed while it was sent"), 409),
        (TargetFileError("/srv/x", "is there already"), 409),
        (TargetFileError("/srv/x", PROBLEMS[errno.ENOSPC]), 507),
        (TargetFileError("/srv/x", PROBLEMS[errno.EDQUOT]), 507),
        (PeerError("m2", "does not answer"), 502),
        (CastError("/srv/x", "cannot go on"), 409),
        (InvalidRequestError("m2 is dead: it can receive nothing."), 422),
    ],
    ids=lambda value: f"{value}" if isinstance(value, Exception) else "",
)
async def test_a_cast_that_cannot_begin_says_why(
    api: httpx.AsyncClient, registry: MemoryBackend, error: CastRayError, status: int
) -> None:
    async def refuse(request: CastRequest) -> Cast:
        raise error

    registry.on_cast = refuse

    english = await api.post("/api/casts", json=CAST)
    chinese = await api.post("/api/casts", json=CAST, headers={"Accept-Language": "zh"})

    assert english.status_code == chinese.status_code == status
    assert english.headers["content-type"] == "application/problem+json"
    assert english.json()["detail"].rstrip(".") == str(error).rstrip(".")
    assert chinese.json()["title"] != english.json()["title"]


async def test_an_ambiguous_target_is_told_with_what_it_fits(
    api: httpx.AsyncClient, registry: MemoryBackend
) -> None:
    async def refuse(request: CastRequest) -> Cast:
        raise AmbiguousNameError("node", "m2", ["home/m2", "lab/m2"])

    registry.on_cast = refuse

    answer = await api.post("/api/casts", json=CAST)

    assert answer.status_code == 409
    assert answer.json()["candidates"] == ["home/m2", "lab/m2"]


async def test_a_cast_is_shown_as_it_was_told_last_and_an_old_one_from_the_store(
    api: httpx.AsyncClient, registry: MemoryBackend
) -> None:
    old = cast_to("m2", id_="old", state=CastState.COMPLETED)
    registry.remembered = [old, cast_to("m2", id_="new")]
    registry.apply(CastChanged(cast_to("m2", id_="new", state=CastState.RUNNING)))

    async def shows_new_as(state: str) -> bool:
        return bool((await api.get("/api/casts/new")).json()["state"] == state)

    await until(lambda: shows_new_as("running"))
    assert (await api.get("/api/casts/old")).json()["state"] == "completed"
    assert (await api.get("/api/casts/none")).status_code == 404


async def test_a_cast_says_what_it_waits_for_and_what_went_wrong_in_both_languages(
    api: httpx.AsyncClient, registry: MemoryBackend
) -> None:
    cast = cast_to("m2", id_="c1")
    lost = CastProblem(path="a", problem="vanished while it was cast")
    told = {"waits_for": "M2 is dead", "error": "/srv/x: odd", "problems": (lost,)}
    target = cast.targets[0].model_copy(update=told)
    registry.remembered = [cast.model_copy(update={"targets": (target,)})]

    shown = (await api.get("/api/casts/c1")).json()["targets"][0]

    assert (shown["waits_for"], shown["waits_for_zh"]) == ("M2 is dead", "M2 已停止")
    assert (shown["error"], shown["error_zh"]) == ("/srv/x: odd", None)
    assert shown["problems"][0]["problem_zh"] == "在传输过程中消失"


async def test_of_a_silent_registry_nobody_knows_how_a_cast_stands(
    registry: MemoryBackend, connect: ConnectApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "FEED_LOST_AFTER_S", 0.1)
    registry.apply(CastChanged(cast_to("m2", id_="c1")))
    api = await connect()
    assert (await api.get("/api/casts/c1")).status_code == 200

    registry.take_down()

    async def is_unavailable() -> bool:
        return (await api.get("/api/casts/c1")).status_code == 503

    await until(is_unavailable)


async def test_casts_are_listed_a_page_at_a_time(
    api: httpx.AsyncClient, registry: MemoryBackend
) -> None:
    registry.remembered = [cast_to("m2", id_=f"c{number}") for number in range(3)]

    first = (await api.get("/api/casts?limit=2")).json()
    second = (await api.get(f"/api/casts?limit=2&cursor={first['next_cursor']}")).json()

    assert [c["id"] for page in (first, second) for c in page["casts"]] == ["c0", "c1", "c2"]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("DELETE", "/api/casts/c1", CastAction.CANCEL),
        ("POST", "/api/casts/c1/retry", CastAction.RETRY),
        ("POST", "/api/casts/c1/pause", CastAction.PAUSE),
        ("POST", "/api/casts/c1/resume", CastAction.RESUME),
    ],
)
async def test_a_cast_is_steered(
    api: httpx.AsyncClient, registry: MemoryBackend, method: str, path: str, action: CastAction
) -> None:
    steered: list[tuple[str, CastAction]] = []

    async def steer(cast_id: str, action: CastAction) -> Cast:
        steered.append((cast_id, action))
        return cast_to("m2", id_=cast_id)

    registry.on_steer = steer

    answer = await api.request(method, path)

    assert answer.status_code == 200
    assert answer.json()["id"] == "c1"
    assert steered == [("c1", action)]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFoundError("cast", "c1"), 404),
        (InvalidRequestError("The cast has ended: there is nothing to pause."), 422),
    ],
    ids=["unknown", "ended"],
)
async def test_a_cast_that_cannot_be_steered_says_why(
    api: httpx.AsyncClient, registry: MemoryBackend, error: CastRayError, status: int
) -> None:
    async def refuse(cast_id: str, action: CastAction) -> Cast:
        raise error

    registry.on_steer = refuse

    answer = await api.post("/api/casts/c1/pause")

    assert answer.status_code == status
    assert (await api.post("/api/casts/c1/explode")).status_code == 422


async def test_who_may_only_look_sees_casts_and_begins_none(
    connect: ConnectApi, registry: MemoryBackend
) -> None:
    registry.remembered = [cast_to("m2", id_="c1")]
    api = await connect(AccessPolicy(token="full", viewer_token="look"))
    api.headers["Authorization"] = "Bearer look"

    seen = [await api.get(path) for path in ("/api/casts", "/api/casts/c1")]
    refused = [
        await api.request(method, path)
        for method, path in (
            ("POST", "/api/casts"),
            ("DELETE", "/api/casts/c1"),
            ("POST", "/api/casts/c1/retry"),
        )
    ]

    assert [answer.status_code for answer in seen] == [200, 200]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
