"""The peer of a read: one FastAPI handler that returns ready bytes, for uvicorn.

`GET` answers with what was posted last.
"""

from __future__ import annotations

from fastapi import FastAPI, Request, Response

__all__ = ["app"]

app = FastAPI()


@app.get("/")
async def read() -> Response:
    """What was posted last."""
    return Response(app.state.body, media_type="application/json")


@app.post("/")
async def keep(request: Request) -> None:
    """Keep what is posted."""
    app.state.body = await request.body()
