"""What somebody asked for, made into a cast, or refused with what would be right."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pydantic import ValidationError

from castray.cast_models import Cast, CastRequest, CastTarget
from castray.core.casting import find_node, plan_targets
from castray.core.paths import is_glob
from castray.errors import InvalidRequestError
from castray.models import NodeState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from castray.models import Node

__all__ = ["parse_request", "plan_cast"]


def parse_request(request: CastRequest | Mapping[str, object]) -> CastRequest:
    """A request from its parts.

    Raises:
        InvalidRequestError: One of them is missing or makes no sense.
    """
    try:
        return CastRequest.model_validate(request)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc'])) or 'request'}: {problem['msg']}"
            for problem in error.errors()
        ]
        raise InvalidRequestError("; ".join(problems)) from None


def plan_cast(request: CastRequest, nodes: Sequence[Node], cast_id: str, now: datetime) -> Cast:
    """The cast of a request, before anything was asked of its nodes.

    Raises:
        NotFoundError: A node or cluster of it does not exist.
        AmbiguousNameError: A name fits several nodes.
        InvalidRequestError: A node of it is dead, nothing is selected, or it is onto itself.
    """
    source = find_node(nodes, request.source.node)
    if source.state is NodeState.DEAD:
        raise InvalidRequestError(f"{source.name} is dead: it can send nothing.")
    targets = plan_targets(request, nodes, source)
    path = _target_path(request)
    is_onto_itself = posixpath.normpath(path) == posixpath.normpath(request.source.path)
    if is_onto_itself and any(target.key == source.key for target in targets):
        raise InvalidRequestError(
            f"{source.name} is the source of {path} and a target of the same path: "
            "give it another destination, or leave it out."
        )
    return Cast(
        id=cast_id,
        request=request,
        source=source.key,
        created=now,
        targets=tuple(CastTarget(node=target.key, path=path) for target in targets),
    )


def _target_path(request: CastRequest) -> str:
    """Where a cast goes, as far as its text tells; what a glob fits goes to several places."""
    path, name = request.destination, posixpath.basename(request.source.path.rstrip("/"))
    is_several = not name or is_glob(request.source.path.split("/"))
    return path + name if path.endswith("/") and not is_several else path
