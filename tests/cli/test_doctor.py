"""`castray doctor` on this machine, without a Ray to talk to."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.core.given import members, reported

if TYPE_CHECKING:
    from click.testing import Result

    from tests.api.memory_backend import MemoryBackend
    from tests.cli.conftest import RunCastray
    from tests.page.server import PageServer


@pytest.fixture
def unused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def findings_of(result: Result) -> dict[str, tuple[str, str]]:
    """Level and detail by subject."""
    return {row["subject"]: (row["level"], row["detail"]) for row in json.loads(result.output)}


async def test_it_looks_at_everything_and_fails_where_something_does(
    castray: RunCastray, server: PageServer, registry: MemoryBackend, unused_address: str
) -> None:
    registry.apply(members("m1", "m2"), reported("m1"))
    port = str(urlsplit(server.url).port)

    result = await asyncio.to_thread(
        castray, "doctor", "--json", "--port", port, "--address", unused_address
    )

    findings = findings_of(result)
    assert result.exit_code == 1
    assert findings["Settings"] == ("ok", "valid")
    assert findings["Python"][0] == findings["Ray"][0] == "ok"
    assert findings["Ray cluster"][0] == "fail"
    assert unused_address in findings["Ray cluster"][1]
    assert findings[f"Port {port}"][0] == "ok"
    assert findings["HAProxy"][0] == "warn"
    assert findings["CastRay"] == ("ok", "answers, and knows 2 nodes")
    assert findings["Node M1"] == ("ok", "detecting, monitor on port 8000")
    assert findings["Node M2"][0] == "warn"


def test_a_mistake_in_the_settings_is_a_finding(
    castray: RunCastray, unused_address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASTRAY_MONITOR__PORT", "none")

    result = castray("doctor", "--json", "--address", unused_address)

    level, detail = findings_of(result)["Settings"]
    assert result.exit_code == 1
    assert level == "fail"
    assert detail.startswith("CASTRAY_MONITOR__PORT: should be a valid integer")


def test_people_get_a_line_for_each_finding(castray: RunCastray, unused_address: str) -> None:
    result = castray("doctor", "--address", unused_address)

    assert "Settings" in result.output
    assert " ok " in result.output
    assert " fail " in result.output


async def test_a_castray_elsewhere_is_asked_by_its_url(
    castray: RunCastray, server: PageServer, unused_address: str
) -> None:
    unused_port = unused_address.rpartition(":")[2]

    result = await asyncio.to_thread(
        castray,
        *("doctor", "--json", "--address", unused_address),
        *("--port", unused_port, "--url", server.url),
    )

    findings = findings_of(result)
    assert findings[f"Port {unused_port}"][0] == "warn"
    assert findings["CastRay"] == ("ok", "answers, and knows 0 nodes")
