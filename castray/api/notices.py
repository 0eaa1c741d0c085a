"""The `/ws` messages that tell clients of old what happened to external clusters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from castray.models import NoticeType

if TYPE_CHECKING:
    from castray.models import Notice

__all__ = ["render_notice"]


def render_notice(notice: Notice) -> str:
    """The message of a notice, with the keys that its type always had."""
    data: dict[str, Any] = {"message": notice.message, "message_zh": notice.message_zh}
    if notice.type is NoticeType.DISCOVERED:
        data["discovered_clusters"] = [c.model_dump() for c in notice.discovered_clusters]
    else:
        data |= {"cluster": notice.cluster, "cluster_address": notice.cluster_address}
    data["external_nodes_count"] = notice.external_nodes_count
    return json.dumps({"type": notice.type.value, "data": data}, ensure_ascii=False)
