from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from castray.cast_models import CastAction, CastRoute, CastState
from castray.errors import InvalidRequestError, NotFoundError, SourceFileError, UnsafePathError
from castray.models import NodeState
from tests.actors.cast_house import House
from tests.core.given import key_of, node

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from castray.cast_models import Cast

MIB = 1 << 20

CONTENT = os.urandom(3 * MIB + 5)

SLOW = {"bandwidth_limit": MIB}
"""Slow enough to do something meanwhile."""


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Four nodes; the first has a file."""
    house = House(tmp_path, "M1", "M2", "M3", "M4")
    house.write("M1", "a.bin", CONTENT)
    yield house
    await house.aclose()


def is_moving(cast: Cast) -> bool:
    return cast.bytes_done > 0


def target_states(cast: Cast) -> set[CastState]:
    return {target.state for target in cast.targets}


async def test_a_file_goes_from_one_node_to_another(house: House) -> None:
    cast_id = await house.start("M1", "a.bin", "M2")

    cast = await house.end_of(cast_id)

    assert cast.state is CastState.COMPLETED
    assert cast.targets[0].route is CastRoute.DIRECT
    assert (cast.bytes_done, cast.bytes_total) == (len(CONTENT), len(CONTENT))
    assert house.read("M2", "a.bin") == CONTENT
    assert await house.casts.cast(cast_id) == cast


async def test_a_file_goes_to_all_other_nodes(house: House) -> None:
    cast = await house.end_of(await house.start("M1", "a.bin"))

    assert cast.state is CastState.COMPLETED
    assert [target.node for target in cast.targets] == [key_of(n) for n in ("m2", "m3", "m4")]
    assert all(house.read(name, "a.bin") == CONTENT for name in ("M2", "M3", "M4"))


async def test_a_copy_on_the_source_itself_is_a_cast_too(house: House) -> None:
    cast_id = await house.start("M1", "a.bin", "M1", "M2", destination="b.bin")

    cast = await house.end_of(cast_id)

    assert cast.state is CastState.COMPLETED
    assert house.read("M1", "b.bin") == house.read("M2", "b.bin") == CONTENT


async def test_it_is_on_disk_before_its_id_is_known(house: House) -> None:
    cast_id = await house.start("M1", "a.bin", "M2", **SLOW)

    kept = house.store.cast(cast_id)

    assert kept is not None
    assert kept.secret not in str(house.told[cast_id])


async def test_a_cast_too_many_for_a_node_waits_for_the_older_one(tmp_path: Path) -> None:
    house = House(tmp_path, "M1", "M2", places=1)
    house.write("M1", "a.bin", CONTENT)
    first = await house.start("M1", "a.bin", "M2", **SLOW)
    second = await house.start("M1", "a.bin", "M2", destination="b.bin")

    waiting = await house.until(second, lambda cast: bool(cast.targets[0].waits_for))
    await house.end_of(second)

    assert "1 casts at once are the most on M1 and M2" in str(waiting.targets[0].waits_for)
    assert house.told[first].state is CastState.COMPLETED
    assert house.read("M2", "b.bin") == CONTENT
    await house.aclose()


@pytest.mark.parametrize("lost", ["M1", "M2"], ids=["the source", "the target"])
async def test_an_agent_that_dies_is_replaced_and_goes_on(house: House, lost: str) -> None:
    cast_id = await house.start("M1", "a.bin", "M2", **SLOW)
    before = await house.until(cast_id, is_moving)

    await house.agents.kill(lost)
    cast = await house.end_of(cast_id)

    assert before.state is CastState.RUNNING
    assert cast.state is CastState.COMPLETED
    assert house.read("M2", "a.bin") == CONTENT


async def test_a_restart_goes_on_with_what_has_not_ended(house: House) -> None:
    cast_id = await house.start("M1", "a.bin", "M2", **SLOW)
    await house.until(cast_id, is_moving)

    await house.restart()
    at_once = house.told[cast_id].targets[0]
    cast = await house.end_of(cast_id)

    assert (at_once.state, at_once.waits_for) == (CastState.QUEUED, "goes on after a restart")
    assert cast.state is CastState.COMPLETED
    assert house.read("M2", "a.bin") == CONTENT


async def test_a_restart_of_everything_goes_on_on_the_successors_of_the_nodes(
    house: House,
) -> None:
    cast_id = await house.start("M1", "a.bin", "M2", **SLOW)
    await house.until(cast_id, is_moving)

    for name in list(house.nodes):
        await house.agents.kill(name)
        house.nodes[name] = node(f"new-{name}", name=name, address="127.0.0.1")
    await house.restart()
    cast = await house.end_of(cast_id)

    assert (cast.state, cast.targets[0].node) == (CastState.COMPLETED, key_of("new-M2"))
    assert house.read("M2", "a.bin") == CONTENT


async def test_a_dead_node_is_waited_for_and_its_successor_goes_on(house: House) -> None:
    cast_id = await house.start("M1", "a.bin", "M2", **SLOW)
    await house.until(cast_id, is_moving)

    house.set_state("M2", NodeState.DEAD)
    await house.agents.kill("M2")
    waiting = await house.until(cast_id, lambda cast: cast.state is CastState.QUEUED)
    house.nodes["M2 again"] = node("m2-again", name="M2", address="127.0.0.1")
    cast = await house.end_of(cast_id)

    assert waiting.targets[0].waits_for == "M2 is dead"
    assert (cast.state, cast.targets[0].node) == (CastState.COMPLETED, key_of("m2-again"))
    assert house.read("M2", "a.bin") == CONTENT


async def test_a_cancelled_cast_leaves_nothing_behind(house: House) -> None:
    cast_id = await house.start("M1", "a.bin", "M2", **SLOW)
    await house.until(cast_id, is_moving)

    answer = await house.casts.steer_cast(cast_id, "cancel")
    await house.casts.aclose()  # which waits for what is under way

    assert answer.state is CastState.CANCELLED
    assert house.store.unfinished_casts() == []
    assert house.read("M2", "a.bin") is None


async def test_a_paused_cast_rests_until_it_is_resumed(house: House) -> None:
    cast_id = await house.start("M1", "a.bin", "M2", **SLOW)
    await house.until(cast_id, is_moving)

    paused = await house.casts.steer_cast(cast_id, CastAction.PAUSE)
    while ("M2", "pause") not in house.agents.orders:
        await house.casts.casts(1, None)
    resumed = await house.casts.steer_cast(cast_id, CastAction.RESUME)
    cast = await house.end_of(cast_id)

    assert (paused.state, resumed.state) == (CastState.PAUSED, CastState.QUEUED)
    assert cast.state is CastState.COMPLETED
    assert house.read("M2", "a.bin") == CONTENT


async def test_a_retry_goes_to_those_that_do_not_have_it(house: House) -> None:
    house.write("M2", "a.bin", b"in the way")
    cast_id = await house.start("M1", "a.bin", "M2", "M3")
    partial = await house.end_of(cast_id)

    (house.agents.root("M2") / "a.bin").unlink()
    asked = await house.casts.steer_cast(cast_id, "retry")
    cast = await house.end_of(cast_id)

    assert partial.state is CastState.PARTIAL
    assert "is there already" in str(partial.targets[0].error)
    assert [target.state for target in asked.targets] == [CastState.QUEUED, CastState.COMPLETED]
    assert cast.state is CastState.COMPLETED
    assert house.read("M2", "a.bin") == CONTENT


async def test_what_cannot_be_reached_goes_through_the_head(house: House) -> None:
    house.write("M2", "a.bin", CONTENT)
    house.agents.walls = {("M3", "M2")}

    cast = await house.end_of(await house.start("M2", "a.bin", "M3", "M4"))

    assert cast.state is CastState.COMPLETED
    assert [target.route for target in cast.targets] == [CastRoute.RELAY, CastRoute.DIRECT]
    assert house.read("M3", "a.bin") == CONTENT
    assert ("M1", "relay") in house.agents.orders


async def test_a_direct_cast_says_that_it_would_need_the_head(house: House) -> None:
    house.write("M2", "a.bin", CONTENT)
    house.agents.walls = {("M3", "M2")}

    cast = await house.end_of(await house.start("M2", "a.bin", "M3", mode="direct"))

    assert cast.state is CastState.FAILED
    assert "M3 cannot connect to M2: no route to host" in str(cast.targets[0].error)


async def test_a_relayed_cast_goes_through_the_head_though_it_need_not(house: House) -> None:
    house.write("M2", "a.bin", CONTENT)

    cast = await house.end_of(await house.start("M2", "a.bin", "M3", mode="relay"))

    assert (cast.state, cast.targets[0].route) == (CastState.COMPLETED, CastRoute.RELAY)


async def test_where_the_head_cannot_help_either_both_are_told(house: House) -> None:
    house.write("M2", "a.bin", CONTENT)
    house.agents.walls = {("M3", "M2"), ("M1", "M2")}

    cast = await house.end_of(await house.start("M2", "a.bin", "M3"))

    assert cast.state is CastState.FAILED
    assert "The head cannot connect to M2 either" in str(cast.targets[0].error)


async def test_a_node_that_can_have_no_agent_fails_alone(house: House) -> None:
    house.agents.without = {"M3"}

    cast = await house.end_of(await house.start("M1", "a.bin", "M2", "M3"))

    assert [t.state for t in cast.targets] == [CastState.COMPLETED, CastState.FAILED]
    assert cast.targets[1].error == "There can be no agent on M3."


async def test_a_dry_run_tells_what_would_go_where_and_leaves_no_trace(house: House) -> None:
    request = {
        "source": {"node": "M1", "path": "a.bin"},
        "destination": "in/",
        "targets": {"selector": "castray.io/name=M[34]"},
        "dry_run": True,
    }

    cast = await house.casts.start_cast(request)

    assert (cast.state, cast.bytes_total) == (CastState.QUEUED, 2 * len(CONTENT))
    assert [(t.node, t.path) for t in cast.targets] == [
        (key_of("m3"), "in/a.bin"),
        (key_of("m4"), "in/a.bin"),
    ]
    assert house.told == {}
    assert house.store.cast(cast.id) is None


@pytest.mark.parametrize(
    ("source", "path", "more", "error"),
    [
        ("M9", "a.bin", {}, NotFoundError),
        ("M1", "a.bin", {"targets": {"cluster": "moon"}}, NotFoundError),
        ("M1", "a.bin", {"targets": {"selector": "castray.io/name=Z*"}}, InvalidRequestError),
        ("M1", "a.bin", {"targets": ["M1"]}, InvalidRequestError),
        ("M1", "a.bin", {"targets": []}, InvalidRequestError),
        ("M1", "b.bin", {}, SourceFileError),
        ("M1", "../a.bin", {}, UnsafePathError),
    ],
    ids=["no node", "no cluster", "nobody", "onto itself", "no target", "no file", "unsafe"],
)
async def test_what_makes_no_sense_is_refused_before_it_is_a_cast(
    house: House, source: str, path: str, more: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await house.start(source, path, **more)

    assert (await house.casts.casts(10, None)).casts == ()


async def test_casts_come_page_by_page_the_newest_first(house: House) -> None:
    ids = [await house.start("M1", "a.bin", "M2", destination=f"{i}.bin") for i in range(3)]

    first = await house.casts.casts(2, None)
    second = await house.casts.casts(2, first.next_cursor)

    assert [cast.id for cast in (*first.casts, *second.casts)] == ids[::-1]
    assert second.next_cursor is None
    with pytest.raises(InvalidRequestError, match="no cursor of ours"):
        await house.casts.casts(2, "nonsense")


async def test_what_cannot_be_done_with_a_cast_is_refused(house: House) -> None:
    cast_id = await house.start("M1", "a.bin", "M2")
    await house.end_of(cast_id)

    for action in ("cancel", "pause", "resume", "retry"):
        with pytest.raises(InvalidRequestError, match="is completed"):
            await house.casts.steer_cast(cast_id, action)
    with pytest.raises(InvalidRequestError, match="is no action"):
        await house.casts.steer_cast(cast_id, "explode")
    with pytest.raises(NotFoundError):
        await house.casts.steer_cast("0", "cancel")


async def test_agents_without_work_are_ended(tmp_path: Path) -> None:
    house = House(tmp_path, "M1", "M2", idle_s=0.5)
    house.write("M1", "a.bin", CONTENT)
    await house.end_of(await house.start("M1", "a.bin", "M2"))

    await house.until_released("M1", "M2")

    assert set(house.agents.released) == {"M1", "M2"}
    await house.aclose()
