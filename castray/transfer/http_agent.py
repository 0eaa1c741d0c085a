"""An agent's calls over HTTP: `POST /agent/CALL` with JSON, for `HttpAgentLink` on the other side.

Bytes of files travel as they are; the other arguments of those two calls stand in the query.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

from aiohttp import web
from pydantic import AwareDatetime, TypeAdapter, ValidationError, create_model

from castray.models import NodeReport, Record
from castray.transfer.agent_link import AgentLink
from castray.transfer.keyed_http import KeyedServer

if TYPE_CHECKING:
    from pydantic import BaseModel

    from castray.changes import RecordT
    from castray.monitor.node_watch import NodeWatch

__all__ = ["NodeNews", "serve_agent"]

MAX_WAIT_S = 30.0


class NodeNews(Record):
    """What an outpost says of its node: the whole truth of `told_at`, by its clock."""

    sequence: int
    told_at: AwareDatetime
    report: NodeReport


class _Call(NamedTuple):
    """One method of an agent: its arguments, and what it gives."""

    arguments: type[BaseModel]
    result: TypeAdapter[Any]


def serve_agent(agent: AgentLink, watch: NodeWatch, key_digest: str) -> KeyedServer:
    """A server for everything that an agent can be asked, and for what its node says of itself."""
    shell = _Shell(agent, watch)
    routes = [
        web.get("/report", shell.report),
        web.post("/agent/read_file", shell.read_file),
        web.post("/agent/append_upload", shell.append_upload),
        web.post("/agent/{call}", shell.call),
    ]
    return KeyedServer(routes, key_digest)


class _Shell:
    """The handlers."""

    def __init__(self, agent: AgentLink, watch: NodeWatch) -> None:
        self._agent = agent
        self._watch = watch

    async def report(self, request: web.Request) -> web.Response:
        query = _parsed(_Wait, request)
        await self._watch.wait_for_news(query.since, min(query.wait_s, MAX_WAIT_S))
        news = NodeNews(
            sequence=self._watch.sequence,
            told_at=datetime.now(timezone.utc),
            report=self._watch.report(),
        )
        return web.Response(body=news.model_dump_json(), content_type="application/json")

    async def call(self, request: web.Request) -> web.Response:
        name = request.match_info["call"]
        if name not in CALLS:
            raise web.HTTPNotFound
        arguments, result = CALLS[name]
        try:
            given = arguments.model_validate_json(await request.read())
        except ValidationError:
            raise web.HTTPUnprocessableEntity from None
        answer = await getattr(self._agent, name)(**dict(given))
        return web.Response(body=result.dump_json(answer), content_type="application/json")

    async def read_file(self, request: web.Request) -> web.Response:
        query = _parsed(_Piece, request)
        data = await self._agent.read_file(query.path, query.offset, query.length)
        return web.Response(body=data, content_type="application/octet-stream")

    async def append_upload(self, request: web.Request) -> web.Response:
        query = _parsed(_Append, request)
        await self._agent.append_upload(query.upload_id, query.offset, await request.read())
        return web.Response()


class _Wait(Record):
    since: int
    wait_s: float


class _Piece(Record):
    path: str
    offset: int
    length: int


class _Append(Record):
    upload_id: str
    offset: int


def _parsed(kind: type[RecordT], request: web.Request) -> RecordT:
    try:
        return kind.model_validate(dict(request.query))
    except ValidationError:
        raise web.HTTPUnprocessableEntity from None


def _parse_call(name: str) -> _Call:
    hints = get_type_hints(getattr(AgentLink, name))
    result = hints.pop("return")
    fields: dict[str, Any] = {argument: (kind, ...) for argument, kind in hints.items()}
    return _Call(create_model(name, **fields), TypeAdapter(result))


CALLS = {
    name: _parse_call(name)
    for name in vars(AgentLink)
    if not name.startswith("_") and name not in ("read_file", "append_upload")
}
"""Every other method of an agent, as the protocol declares it."""
