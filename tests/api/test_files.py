from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from castray.api.auth import AccessPolicy
from castray.transfer.agent import CastAgent
from castray.transfer.agent_link import MAX_PIECE_BYTES
from tests.api.waiting import until
from tests.page.server import PageServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.api.conftest import ConnectApi
    from tests.api.memory_backend import MemoryBackend

CONTENT = "/api/nodes/m1/files/content"
LARGE = bytes(range(256)) * 4096 * 9
"""9 MiB: three pieces, and far more than any other body may have."""


@pytest.fixture
async def root(tmp_path: Path, registry: MemoryBackend) -> AsyncIterator[Path]:
    """What the node m1 shares; an agent is there."""
    root = tmp_path / "root"
    root.mkdir()
    agent = CastAgent([str(root)], [0], "127.0.0.1")
    registry.agents["home/m1"] = agent
    yield root
    await agent.aclose()


async def put(api: httpx.AsyncClient, path: str, content: bytes, **query: str) -> httpx.Response:
    return await api.put(CONTENT, params={"path": path, **query}, content=content)


def beneath(root: Path) -> list[Path]:
    """Everything that lies there, also what is hidden."""
    return sorted(root.rglob("*"))


@pytest.mark.parametrize("node", ["m1", "M1", "home/m1", "home%2Fm1"])
async def test_a_node_is_named_in_any_way_there_is(
    api: httpx.AsyncClient, root: Path, node: str
) -> None:
    (root / "空 目录").mkdir()
    (root / "a.txt").write_bytes(b"abc")

    listing = (await api.get(f"/api/nodes/{node}/files")).json()

    assert listing["path"] == str(root)
    assert listing["roots"] == [str(root)]
    assert {(e["name"], e["kind"], e["size_bytes"]) for e in listing["entries"]} == {
        ("a.txt", "file", 3),
        ("空 目录", "directory", 0),
    }


async def test_a_file_comes_down_whole_under_its_own_name(
    api: httpx.AsyncClient, root: Path
) -> None:
    name = '说明 "v2".bin'
    (root / name).write_bytes(LARGE)

    answer = await api.get(CONTENT, params={"path": name})

    assert answer.status_code == 200
    assert answer.content == LARGE
    assert answer.headers["content-length"] == str(len(LARGE))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="__ _v2_.bin"')
    assert disposition.endswith(f"filename*=UTF-8''{quote(name)}")


async def test_a_part_of_a_file_is_sent_as_long_as_the_file_is_the_same(
    api: httpx.AsyncClient, root: Path
) -> None:
    (root / "f").write_bytes(LARGE)
    tag = (await api.get(CONTENT, params={"path": "f"})).headers["etag"]

    def ask(asked: str, if_range: str) -> dict[str, str]:
        return {"Range": asked, "If-Range": if_range}

    first = MAX_PIECE_BYTES - 1
    part = await api.get(
        CONTENT, params={"path": "f"}, headers=ask(f"bytes={first}-{first + 9}", tag)
    )
    whole = await api.get(CONTENT, params={"path": "f"}, headers=ask("bytes=0-9", '"other"'))
    behind = await api.get(CONTENT, params={"path": "f"}, headers={"Range": f"bytes={len(LARGE)}-"})

    assert part.status_code == 206
    assert part.content == LARGE[first : first + 10]
    assert part.headers["content-range"] == f"bytes {first}-{first + 9}/{len(LARGE)}"
    assert (whole.status_code, whole.content) == (200, LARGE)
    assert behind.status_code == 416
    assert behind.headers["content-range"] == f"bytes */{len(LARGE)}"


@pytest.mark.parametrize("content", [b"", b"small", LARGE], ids=["empty", "small", "large"])
async def test_a_file_goes_up_and_is_there_as_it_was_sent(
    api: httpx.AsyncClient, root: Path, content: bytes
) -> None:
    (root / "in").mkdir()

    answer = await put(api, "in/新 文件", content)

    path = root / "in" / "新 文件"
    assert answer.status_code == 201
    assert answer.json() == {"path": str(path), "size_bytes": len(content)}
    assert path.read_bytes() == content
    assert beneath(root) == [root / "in", path]


async def test_what_is_there_is_kept_unless_asked_otherwise(
    api: httpx.AsyncClient, root: Path
) -> None:
    (root / "f").write_bytes(b"old")

    refused = await put(api, "f", b"new")
    beside = await put(api, "f", b"new", if_exists="rename")
    kept = (root / "f").read_bytes()
    over = await put(api, "f", b"new", if_exists="overwrite")

    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:castray:problem:target-exists"
    assert kept == b"old"
    assert beside.status_code == over.status_code == 201
    assert beside.json()["path"] != over.json()["path"] == str(root / "f")
    assert (root / "f").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/etc/passwd", 403), ("../x", 403), ("a\0b", 403), ("none", 404), ("d", 403), ("", 422)],
)
async def test_what_may_not_or_cannot_be_fetched_says_why(
    api: httpx.AsyncClient, root: Path, path: str, status: int
) -> None:
    (root / "d").mkdir()

    answer = await api.get(CONTENT, params={"path": path})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/etc/new", "../new", "a\0b", "d/"])
async def test_what_may_not_be_written_says_why_and_leaves_nothing(
    api: httpx.AsyncClient, root: Path, path: str
) -> None:
    answer = await put(api, path, LARGE)

    assert answer.status_code == 403
    assert beneath(root) == []


async def test_a_link_that_leads_out_leads_nowhere(api: httpx.AsyncClient, root: Path) -> None:
    (root / "out").symlink_to("/etc")

    listed = await api.get("/api/nodes/m1/files", params={"path": "out"})
    fetched = await api.get(CONTENT, params={"path": "out/passwd"})
    sent = await put(api, "out/castray", b"x")

    assert [answer.status_code for answer in (listed, fetched, sent)] == [403, 403, 403]


async def test_a_node_without_an_agent_and_one_that_is_not_there_say_so(
    api: httpx.AsyncClient, root: Path
) -> None:
    without = await api.get("/api/nodes/m2/files")
    nowhere = await api.get("/api/nodes/nope/files")

    assert without.status_code == 422
    assert nowhere.status_code == 404


async def test_other_bodies_are_as_small_as_before(api: httpx.AsyncClient, root: Path) -> None:
    answers = [
        await api.post("/api/casts", content=LARGE),
        await api.put("/api/nodes/m1/files", content=LARGE),
    ]

    assert [answer.status_code for answer in answers] == [413, 405]


async def test_who_may_only_look_sees_no_files(
    connect: ConnectApi, registry: MemoryBackend, root: Path
) -> None:
    (root / "f").write_bytes(b"secret")
    api = await connect(AccessPolicy(token="full", viewer_token="look"))
    api.headers["Authorization"] = "Bearer look"

    answers = [
        await api.get("/api/nodes/m1/files"),
        await api.get(CONTENT, params={"path": "f"}),
        await put(api, "g", b"x"),
    ]
    api.headers["Authorization"] = "Bearer full"
    allowed = await api.get(CONTENT, params={"path": "f"})

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert {answer.json()["type"] for answer in answers} == {"urn:castray:problem:read-only"}
    assert allowed.content == b"secret"


async def test_an_upload_that_breaks_off_leaves_nothing(
    registry: MemoryBackend, root: Path
) -> None:
    server = PageServer(registry, AccessPolicy())
    await server.start()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    head = (
        f"PUT {CONTENT}?path=f HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(LARGE)}\r\n\r\n"
    )
    writer.write(head.encode() + LARGE[:-1])
    await writer.drain()
    await until(lambda: beneath(root) != [])

    writer.close()

    await until(lambda: beneath(root) == [])
    await server.stop()
