from __future__ import annotations

import asyncio
import inspect
from contextlib import asynccontextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, get_type_hints

import aiohttp
import pytest
from aiohttp import web

from castray.cast_models import IfExists
from castray.errors import CastError, PeerError, SourceFileError, TargetFileError, UnsafePathError
from castray.monitor.node_watch import NodeWatch
from castray.transfer.agent_link import (
    MAX_PIECE_BYTES,
    AgentFacts,
    AgentLink,
    AgentReports,
    DirectoryListing,
    FileStatus,
    Offered,
    OfferOrder,
    ReceiveOrder,
    ReceiverReport,
    UploadOrder,
)
from castray.transfer.http_agent import serve_agent
from castray.transfer.http_link import HttpAgentLink
from castray.transfer.keyed_http import digest_key
from castray.transfer.peer import PeerAddress
from tests.discovery.server import serve

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

KEY = "6b" * 32

PEER = PeerAddress("lab/1", "10.0.0.7", 28901, is_source=True)

FILE = FileStatus(name="数据 1", kind="file", size_bytes=3, modified_ms=1, mode=0o644)

CALLS: dict[str, dict[str, Any]] = {
    "facts": {},
    "survey": {"path": "数据/a b"},
    "offer": {
        "order": OfferOrder(
            cast_id="c", secret="00" * 32, path="x", algorithm="blake3", is_chained=True
        )
    },
    "receive": {
        "order": ReceiveOrder(
            cast_id="c",
            secret="00" * 32,
            me="lab/2",
            destination="in/",
            if_exists=IfExists.SKIP,
            peers=(PEER,),
            bytes_per_s=1e6,
        )
    },
    "pause": {"cast_id": "c"},
    "resume": {"cast_id": "c"},
    "end": {"cast_id": "c", "keep_partial": True, "destination": "/data/y"},
    "reports": {"since": 3, "wait_s": 0.5},
    "reach": {"peer": PEER},
    "relay": {"cast_id": "c", "peer": PEER},
    "list_files": {"path": ""},
    "read_file": {"path": "a&b=c", "offset": 5, "length": MAX_PIECE_BYTES},
    "begin_upload": {"order": UploadOrder(upload_id="u", path="x", if_exists=IfExists.FAIL)},
    "append_upload": {"upload_id": "u", "offset": 7, "data": b"\0\xff" * (MAX_PIECE_BYTES // 2)},
    "finish_upload": {"upload_id": "u"},
    "abort_upload": {"upload_id": "u"},
}
"""Every call of an agent, with arguments."""

ANSWERS: dict[str, Any] = {
    "facts": AgentFacts(incarnation="i", port=1, algorithms=("sha256",), roots=("/data",)),
    "survey": Offered(files=1, bytes_total=2),
    "offer": Offered(files=3, bytes_total=2**40),
    "reports": AgentReports(
        incarnation="i",
        sequence=4,
        receivers=(ReceiverReport(cast_id="c", state="running", path="/data/in"),),
        offers=("d",),
    ),
    "reach": "Connection refused",
    "relay": 28902,
    "list_files": DirectoryListing(path="/data", status=FILE, entries=(FILE,), roots=("/data",)),
    "read_file": b"\0\r\n" * 1000,
    "finish_upload": "/data/x",
}
"""What the agent below gives; None to every other call."""


class Agent:
    """Answers as it is told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.error: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        signature = inspect.signature(getattr(AgentLink, name))

        async def call(*given: Any, **named: Any) -> Any:
            bound = signature.bind(self, *given, **named)
            self.asked.append((name, {k: v for k, v in bound.arguments.items() if k != "self"}))
            if self.error is not None:
                raise self.error
            return ANSWERS.get(name)

        return call


@pytest.fixture
def agent() -> Any:
    return Agent()


@pytest.fixture
def watch() -> NodeWatch:
    """Of a node whose monitor nobody has looked for yet."""
    return NodeWatch("0123abcd", 8000, poll_interval_s=1, timeout_s=1)


@pytest.fixture
async def url(agent: AgentLink, watch: NodeWatch) -> AsyncIterator[str]:
    """Where that agent answers."""
    server = serve_agent(agent, watch, digest_key(KEY))
    port = await server.start("127.0.0.1", [0])
    yield f"http://127.0.0.1:{port}"
    await server.aclose()


@pytest.fixture
def link(url: str) -> HttpAgentLink:
    return HttpAgentLink(url, KEY)


@asynccontextmanager
async def stranger(status: int, body: bytes = b"") -> AsyncIterator[HttpAgentLink]:
    """A link to something that always gives that answer."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body, headers={"Location": "/elsewhere"})

    async with serve(answer) as url:
        yield HttpAgentLink(url, KEY)


def test_every_call_of_an_agent_is_tried_below() -> None:
    declared = [name for name in vars(AgentLink) if not name.startswith("_")]

    assert list(CALLS) == declared
    for name, given in CALLS.items():
        assert [*given, "return"] == list(get_type_hints(getattr(AgentLink, name)))


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_comes_as_it_was_made_and_so_does_its_answer(
    agent: Agent, link: HttpAgentLink, name: str
) -> None:
    answer = await getattr(link, name)(**CALLS[name])

    assert agent.asked == [(name, CALLS[name])]
    assert answer == ANSWERS.get(name)


@pytest.mark.parametrize("kind", [UnsafePathError, SourceFileError, TargetFileError, CastError])
@pytest.mark.parametrize("name", ["offer", "read_file", "append_upload"])
async def test_an_error_of_a_cast_is_raised_here_as_it_was_there(
    agent: Agent, link: HttpAgentLink, kind: type[CastError], name: str
) -> None:
    agent.error = kind("/data/数据", "the disk is full")

    with pytest.raises(CastError) as caught:
        await getattr(link, name)(**CALLS[name])

    assert type(caught.value) is kind
    assert (caught.value.subject, caught.value.problem) == ("/data/数据", "the disk is full")


async def test_an_error_that_only_the_other_side_has_is_told_as_what_it_derives_from(
    agent: Agent, link: HttpAgentLink
) -> None:
    class QuotaError(TargetFileError):
        pass

    agent.error = QuotaError("/data/x", "is over its quota")

    with pytest.raises(TargetFileError, match="quota"):
        await link.facts()


async def test_a_fault_of_the_agent_is_the_loss_of_a_peer(
    agent: Agent, link: HttpAgentLink
) -> None:
    agent.error = RuntimeError("something of its own")

    with pytest.raises(PeerError, match="status 500") as caught:
        await link.facts()

    assert "something of its own" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"{", "as no outpost"),
        (200, b'{"incarnation": 1}', "as no outpost"),
        (302, b"", "status 302"),
        (409, b"not JSON", "none of ours"),
        (409, b'{"error": "KeyError", "subject": "x", "problem": "y"}', "none of ours"),
        (409, b'["error"]', "none of ours"),
    ],
)
async def test_an_answer_of_somebody_else_is_the_loss_of_a_peer(
    status: int, body: bytes, words: str
) -> None:
    async with stranger(status, body) as link:
        with pytest.raises(PeerError, match=words):
            await link.facts()


async def test_an_endless_answer_is_cut() -> None:
    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 2**20)

    async with serve(pour) as url:
        with pytest.raises(PeerError, match="more than"):
            await HttpAgentLink(url, KEY).facts()


async def test_where_nobody_listens_is_the_loss_of_a_peer() -> None:
    async with stranger(200) as link:
        pass

    with pytest.raises(PeerError, match="does not answer"):
        await link.facts()


@pytest.mark.parametrize(
    "header", [None, "Bearer ", "Bearer wrong", f"Basic {KEY}", f"bearer{KEY}"]
)
@pytest.mark.parametrize("path", ["/agent/facts", "/agent/read_file", "/report", "/", "/nothing"])
async def test_nobody_gets_anything_without_the_key(
    agent: Agent, url: str, header: str | None, path: str
) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(url + path, data=b"{}") as answer,
    ):
        status, body = answer.status, await answer.read()

    assert (status, body) == (401, b"")
    assert agent.asked == []


async def test_the_digest_of_the_key_is_not_the_key(agent: Agent, url: str) -> None:
    with pytest.raises(PeerError, match="does not know this key"):
        await HttpAgentLink(url, digest_key(KEY)).facts()

    assert agent.asked == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/agent/no_such_call", b"{}", 404),
        ("/agent/__init__", b"{}", 404),
        ("/agent/survey", b"{}", 422),
        ("/agent/survey", b"nonsense", 422),
        ("/agent/reports", b'{"since": "x", "wait_s": 1}', 422),
        ("/agent/read_file?path=x&offset=1", b"", 422),
        ("/agent/append_upload?upload_id=u&offset=0", b" " * (MAX_PIECE_BYTES + 2), 413),
    ],
)
async def test_a_call_that_makes_no_sense_never_reaches_the_agent(
    agent: Agent, url: str, path: str, body: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(url + path, data=BytesIO(body)) as answer,
    ):
        told = answer.status

    assert told == status
    assert agent.asked == []


async def test_news_of_the_node_come_when_there_are_some(
    link: HttpAgentLink, watch: NodeWatch
) -> None:
    first = await link.node_news(-1, 0)

    waiting = asyncio.create_task(link.node_news(first.sequence, 20))
    await watch.sample_load()
    second = await waiting

    assert first.report.node_id == "0123abcd"
    assert first.report.load is None
    assert second.sequence > first.sequence
    assert second.report.load is not None
    assert second.report.load.memory_total_bytes is not None


async def test_news_are_not_waited_for_longer_than_is_asked(
    link: HttpAgentLink, watch: NodeWatch
) -> None:
    news = await link.node_news(watch.sequence, 0.05)

    assert news.sequence == watch.sequence
