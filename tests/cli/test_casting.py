"""`castray cp` from node to node, and `castray cast` of what lies on a node."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from castray.cast_models import (
    CastAction,
    CastMode,
    CastProblem,
    CastState,
    ClusterTargets,
    IfExists,
    LabelTargets,
)
from castray.cli import cast_calls
from castray.core.cast_state import TargetDone, TargetFailed, TargetProgressed, TargetWaits
from castray.errors import RegistryUnavailableError
from tests.cli.casting_backend import BYTES, CastingBackend
from tests.core.given import key_of, members

if TYPE_CHECKING:
    from click.testing import Result

    from castray.cast_models import Cast
    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer

COPY = ("cp", "M1:a.bin", "M2:b.bin")


@pytest.fixture
def registry() -> CastingBackend:
    """Knows M1, M2 and M3."""
    registry = CastingBackend()
    registry.apply(members("m1", "m2", "m3"))
    return registry


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at a cast is a step of its script: nothing is waited for."""
    monkeypatch.setattr(cast_calls, "POLL_INTERVAL_S", 0.0)


def done(node_id: str, path: str = "/root/b.bin") -> TargetDone:
    return TargetDone(key_of(node_id), path, BYTES, BYTES, 1)


async def run(castray: RunCastray, server: PageServer, *words: str) -> Result:
    return await asyncio.to_thread(castray, *words, "--url", server.url)


async def test_a_copy_is_shown_to_its_end(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    progressed = TargetProgressed(key_of("m2"), BYTES, BYTES // 3, 2**20)
    registry.script.extend([TargetWaits(key_of("m2"), "M1 is busy"), progressed, done("m2")])

    result = await run(castray, server, *COPY)

    assert result.exit_code == 0
    assert "M2 running, 1.0 MiB of 3.0 MiB" in result.stderr
    assert result.stdout == "✓ M2 has /root/b.bin\n"
    [request] = registry.requests
    assert (request.source.path, request.destination) == ("a.bin", "b.bin")
    assert request.targets == ("M2",)


async def test_it_fails_unless_every_target_has_everything_and_says_what_is_wrong(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    problem = CastProblem(path="tree/x", problem="changed while it was sent")
    registry.script.extend(
        [
            TargetDone(key_of("m2"), "/root/tree", BYTES, 7, 2, (problem,), 5),
            TargetFailed(key_of("m3"), "the disk is full"),
        ]
    )

    result = await run(castray, server, "cast", "M1:tree", "--to", "all")

    assert result.exit_code == 1
    assert "✕ M2 partial: 5 of its files failed" in result.stdout
    assert "    tree/x: changed while it was sent\n    and 4 more\n" in result.stdout
    assert "✕ M3 failed: the disk is full" in result.stdout
    assert "castray casts retry cast1" in result.stdout


async def test_a_dry_run_tells_what_would_go_where_and_begins_nothing(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    result = await run(castray, server, "cast", "M1:a.bin", "--to", "M2,M3", "--dry-run")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "M1:a.bin would go to 2 nodes, 6.0 MiB in all:",
        "  M2:/root/./, 3.0 MiB",
        "  M3:/root/./, 3.0 MiB",
    ]
    assert registry.remembered == []


async def test_options_are_passed_on(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    options = ("--bwlimit", "10M", "--if-exists", "rename", "--mode", "relay", "--detach")

    result = await run(castray, server, *COPY, *options)

    [request] = registry.requests
    assert request.bandwidth_limit == 10 << 20
    assert (request.if_exists, request.mode) == (IfExists.RENAME, CastMode.RELAY)
    assert result.stdout == "cast1\n"


@pytest.mark.parametrize(
    ("to", "targets"),
    [
        ("all", "all"),
        ("cluster:home", ClusterTargets(cluster="home")),
        ("castray.io/name=M*", LabelTargets(selector="castray.io/name=M*")),
        ("M2,M3", ("M2", "M3")),
    ],
)
async def test_targets_are_passed_on(
    castray: RunCastray, server: PageServer, registry: CastingBackend, to: str, targets: object
) -> None:
    await run(castray, server, "cast", "M1:a.bin", "--to", to, "--detach")

    assert registry.requests[0].targets == targets


@pytest.mark.parametrize(
    ("path", "destination"),
    [
        ("a.bin", "./"),
        ("models/a.bin", "models/"),
        ("/data/models/", "/data/"),
        ("/data/*.bin", "/data/"),
        ("/a.bin", "/"),
    ],
)
async def test_it_goes_where_it_is_on_its_node_unless_told_otherwise(
    castray: RunCastray,
    server: PageServer,
    registry: CastingBackend,
    path: str,
    destination: str,
) -> None:
    await run(castray, server, "cast", f"M1:{path}", "--to", "all", "--detach")
    await run(castray, server, "cast", f"M1:{path}", "--to", "all", "--detach", "--dest", "x/")

    assert [request.destination for request in registry.requests] == [destination, "x/"]


async def test_a_node_alone_is_its_first_root(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    await run(castray, server, "cp", "M1:a.bin", "M2:", "--detach")

    assert registry.requests[0].destination == "./"


async def test_a_cast_goes_on_while_castray_does_not_answer(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    registry.script.extend([RegistryUnavailableError(), RegistryUnavailableError(), done("m2")])

    result = await run(castray, server, *COPY)

    assert result.exit_code == 0
    assert result.stderr.count("registry does not answer") == 1


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (CastState.FAILED, CastAction.RETRY),
        (CastState.CANCELLED, CastAction.RETRY),
        (CastState.PAUSED, CastAction.RESUME),
        (CastState.RUNNING, None),
    ],
)
async def test_resuming_goes_on_with_the_newest_cast_of_the_same(
    castray: RunCastray,
    server: PageServer,
    registry: CastingBackend,
    state: CastState,
    action: CastAction | None,
) -> None:
    for copy in (COPY, ("cp", "M1:a.bin", "M2:other"), ("cp", "M1:a.bin", "M3:b.bin")):
        await run(castray, server, *copy, "--detach")
    registry.remembered[-1] = in_state(registry, state)
    registry.script.append(done("m2"))

    result = await run(castray, server, *COPY, "--resume")

    assert result.exit_code == 0
    assert f"Going on with cast cast1, which was {state.value}" in result.stderr
    assert registry.steered == ([("cast1", action)] if action else [])
    assert len(registry.remembered) == 3


async def test_resuming_begins_anew_where_the_newest_of_the_same_completed(
    castray: RunCastray, server: PageServer, registry: CastingBackend
) -> None:
    for _ in range(2):
        await run(castray, server, *COPY, "--detach")
    registry.script.append(done("m2"))
    await run(castray, server, "casts", "cast2")
    registry.script.append(done("m2"))

    result = await run(castray, server, *COPY, "--resume")

    assert result.exit_code == 0
    assert "beginning a new one" in result.stderr
    assert len(registry.remembered) == 3


async def test_unknown_nodes_are_told_in_one_line(castray: RunCastray, server: PageServer) -> None:
    result = await run(castray, server, "cp", "M1:a.bin", "M9:")

    assert result.exit_code == 1
    assert re.fullmatch(r"Error: .*M9.*\n", result.stderr)


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (("cp", "a.bin", "./b.bin"), "Both are on this machine"),
        (("cp", "M1:", "M2:"), "names no path"),
        (("cast", "M1:", "--to", "all"), "names no path"),
        (("cp", "a.bin", "M2:", "--mode", "direct"), "are for casts"),
        (("cp", "M1:a.bin", "M2:", "--bwlimit", "0"), "is no rate"),
    ],
)
def test_what_makes_no_sense_is_refused(
    castray: RunCastray, words: tuple[str, ...], wrong: str
) -> None:
    result = castray(*words)

    assert result.exit_code == 2
    assert wrong in result.stderr


async def test_ctrl_c_leaves_the_cast_running_and_says_how_to_end_it(
    server: PageServer, registry: CastingBackend
) -> None:
    command = [sys.executable, "-c", "from castray.cli import main; main()", *COPY]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--url",
        server.url,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stderr is not None
    await asyncio.wait_for(process.stderr.readuntil(b"M2 queued"), 30)

    process.send_signal(signal.SIGINT)
    said = await asyncio.wait_for(process.stderr.read(), 30)

    assert await process.wait() == 130
    assert b"castray casts cancel cast1" in said
    assert b"Traceback" not in said
    assert registry.steered == []
    assert registry.remembered[0].state is CastState.QUEUED


def in_state(registry: CastingBackend, state: CastState) -> Cast:
    """The oldest cast, as if it were in that state."""
    oldest = registry.remembered[-1]
    targets = tuple(target.model_copy(update={"state": state}) for target in oldest.targets)
    has_ended = state in (CastState.FAILED, CastState.CANCELLED)
    ended = oldest.created if has_ended else None
    return oldest.model_copy(update={"state": state, "targets": targets, "ended": ended})
