"""The files of a node: list, fetch and put them. Who may only read has no part in this."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator  # noqa: TC003 - the framework reads the annotations
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from castray.api.access import refuse_viewers
from castray.api.downloads import content_disposition, open_download
from castray.api.kept_agent import while_in_use
from castray.api.problems import PROBLEM_RESPONSES
from castray.api.ranges import UnsatisfiableRangeError, parse_range
from castray.api.uploads import send_upload
from castray.cast_models import IfExists
from castray.errors import CastRayError
from castray.transfer.agent_link import DirectoryListing, UploadOrder

if TYPE_CHECKING:
    from castray.api.backend import Backend
    from castray.api.downloads import Download

__all__ = ["Uploaded", "files_router"]

logger = logging.getLogger(__name__)

DISCARD_S = 2.0
"""How long the rest of a refused upload is read: a client that still sends hears no answer."""

BINARY: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
}

FilePath = Annotated[str, Query(min_length=1, description="Absolute, or beneath the first root.")]


class Uploaded(BaseModel):
    """A file is on its node, synced to the disk."""

    path: str = Field(description="Where; another name than was asked for with `rename`.")
    size_bytes: int


def files_router(backend: Backend) -> APIRouter:
    """All endpoints; they must come before `/api/nodes/{cluster}/{node_id}`.

    `node` is a short id, a NodeID, a name, or a key: `CLUSTER/NODE_ID`.
    """
    router = APIRouter(
        tags=["files"], responses=PROBLEM_RESPONSES, dependencies=[Depends(refuse_viewers)]
    )

    @router.get("/api/nodes/{node:path}/files")
    async def list_files(
        node: str,
        path: Annotated[str, Query(description="Empty: the node's first root.")] = "",
    ) -> DirectoryListing:
        """What lies at a path of a node, beneath its `transfer.roots`."""
        link = await backend.agent(node)
        return await link.list_files(path)

    @router.get(
        "/api/nodes/{node:path}/files/content",
        response_class=StreamingResponse,
        responses={200: {"content": BINARY}, 206: {"content": BINARY, "description": "A part."}},
    )
    async def download_file(request: Request, node: str, path: FilePath) -> Response:
        """A file, or with `Range` a part of it. It breaks off where the file changes meanwhile."""
        download = await open_download(await backend.agent(node), path)
        part = _asked_part(request, download)
        sent = range(download.status.size_bytes) if part is None else part
        return StreamingResponse(
            while_in_use(download.pieces(sent), backend, node),
            200 if part is None else 206,
            _headers(download, part),
            media_type="application/octet-stream",
        )

    @router.put(
        "/api/nodes/{node:path}/files/content",
        status_code=201,
        response_model=Uploaded,
        openapi_extra={"requestBody": {"content": BINARY, "required": True}},
    )
    async def upload_file(
        request: Request, node: str, path: FilePath, if_exists: IfExists = IfExists.FAIL
    ) -> Any:
        """Put the body as a file on a node; it appears there whole, or not at all."""
        content = request.stream()
        try:
            link = await backend.agent(node)
            order = UploadOrder(upload_id=secrets.token_hex(16), path=path, if_exists=if_exists)
            kept = while_in_use(content, backend, node)
            written, size_bytes = await send_upload(link, order, kept)
        except ClientDisconnect:
            logger.info("an upload to %s broke off; nothing of it is left there", node)
            return Response(status_code=400)
        except CastRayError:
            if "expect" not in request.headers:
                await _discard(content)
            raise
        return Uploaded(path=written, size_bytes=size_bytes)

    return router


def _asked_part(request: Request, download: Download) -> range | None:
    if request.headers.get("if-range", download.tag) != download.tag:
        return None
    size_bytes = download.status.size_bytes
    try:
        return parse_range(request.headers.get("range"), size_bytes)
    except UnsatisfiableRangeError:
        headers = {"Content-Range": f"bytes */{size_bytes}"}
        raise HTTPException(416, f"The file has {size_bytes} bytes", headers) from None


def _headers(download: Download, part: range | None) -> dict[str, str]:
    size_bytes = download.status.size_bytes
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "no-store",
        "Content-Disposition": content_disposition(download.status.name),
        "Content-Length": str(size_bytes if part is None else len(part)),
        "ETag": download.tag,
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size_bytes}"
    return headers


async def _discard(content: AsyncIterator[bytes]) -> None:
    async def read() -> None:
        async for _ in content:
            pass

    with suppress(asyncio.TimeoutError, ClientDisconnect):
        await asyncio.wait_for(read(), DISCARD_S)
