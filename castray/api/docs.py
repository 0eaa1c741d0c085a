"""`/docs`: every operation on one page that needs no script and nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["docs_router", "render_docs"]

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8886; padding: 0.5rem 0; }
h2 { font: 600 1rem ui-monospace, monospace; }
h2 span { display: inline-block; min-width: 5rem; color: #0a7d3c; }
pre { overflow: auto; padding: 0.75rem; background: #8881; border-radius: 6px; }
td, th { padding: 0.1rem 1rem 0.1rem 0; text-align: left; vertical-align: top; }
"""


def docs_router() -> APIRouter:
    """The one endpoint."""
    router = APIRouter(include_in_schema=False)

    @router.get("/docs")
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(render_docs(request.app.openapi()))

    return router


def render_docs(document: dict[str, Any]) -> str:
    """An OpenAPI document as a page for people."""
    info = document["info"]
    operations = "".join(
        _render_operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(
        f'<section id="{escape(name)}"><h2>{escape(name)}</h2>{_render_schema(schema)}</section>'
        for name, schema in document["components"]["schemas"].items()
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{escape(info["title"])} API</title>
<style>{STYLE}</style>
<h1>{escape(info["title"])} {escape(info["version"])}</h1>
<p>{escape(info["description"])} For programs: <a href="/openapi.json">openapi.json</a>.</p>
{operations}
<h1>Records</h1>
{schemas}
</html>
"""


def _render_operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = "".join(
        _row(parameter["name"], parameter["in"], parameter.get("description", ""))
        for parameter in operation.get("parameters", ())
    )
    answers = "".join(
        f"<li>{escape(status)}: {_links(answer) or escape(answer['description'])}</li>"
        for status, answer in operation["responses"].items()
    )
    body = _links(operation.get("requestBody", {}))
    return (
        f"<section><h2><span>{method.upper()}</span> {escape(path)}</h2>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        + (f"<table>{parameters}</table>" if parameters else "")
        + (f"<p>Body: {body}</p>" if body else "")
        + f"<ul>{answers}</ul></section>"
    )


def _render_schema(schema: dict[str, Any]) -> str:
    rows = "".join(
        _row(name, _type_of(part), part.get("description", ""))
        for name, part in schema.get("properties", {}).items()
    )
    values = ", ".join(str(value) for value in schema.get("enum", ()))
    return f"<p>{escape(schema.get('description', ''))} {escape(values)}</p><table>{rows}</table>"


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _type_of(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _name(schema["$ref"])
    if "anyOf" in schema:
        return " or ".join(_type_of(part) for part in schema["anyOf"])
    if "items" in schema:
        return f"list of {_type_of(schema['items'])}"
    return str(schema.get("format") or schema.get("type") or schema.get("const") or "any")


def _links(part: dict[str, Any]) -> str:
    names = {_name(ref) for ref in _references(part.get("content", {}))}
    return ", ".join(f'<a href="#{escape(n)}">{escape(n)}</a>' for n in sorted(names))


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]
