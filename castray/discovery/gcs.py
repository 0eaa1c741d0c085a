"""Ask a cluster's GCS for its dashboard, without Ray and without joining the cluster.

The GCS keeps small values by key and namespace, and gives them over gRPC to whoever asks. That is
one unary call with two fields, so it is written and read here byte by byte.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc  # type: ignore[import-untyped]

from castray.discovery.address import host_and_port
from castray.errors import (
    BadAnswerError,
    ClusterTooSlowError,
    ClusterUnreachableError,
    ExternalClusterError,
    NotARayDashboardError,
    TokenMissingError,
    TokenRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from castray.discovery.address import Endpoint

__all__ = ["fetch_dashboard_address", "parse_value"]

METHOD = "/ray.rpc.InternalKVGcsService/InternalKVGet"
KEY_FIELD, NAMESPACE_FIELD, VALUE_FIELD = 1, 2, 2
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Protocol Buffers' wire types."""

TIMEOUT_S = 2.0
MAX_REPLY_BYTES = 64 * 1024


async def fetch_dashboard_address(endpoint: Endpoint, token: str | None = None) -> str:
    """The `host:port` of the dashboard of the cluster whose GCS is there.

    Raises:
        ExternalClusterError: No GCS answers there, it wants a token, or it has no dashboard.
    """
    where = host_and_port(endpoint.host, endpoint.port)
    try:
        reply = await asyncio.to_thread(_call, endpoint, token)
    except grpc.RpcError as error:
        raise _fault(where, error.code(), has_token=token is not None) from None
    try:
        address = (parse_value(reply) or b"").decode("ascii")
    except ValueError:
        raise BadAnswerError(where, "answers as a GCS, but not as Ray's does.") from None
    if not address:
        raise NotARayDashboardError(
            where, "is a Ray cluster without a dashboard; start it with --include-dashboard=true."
        )
    return address


def parse_value(reply: bytes) -> bytes | None:
    """The value in the GCS's reply; None where it has no such key.

    Raises:
        ValueError: The reply is no message of that kind.
    """
    return next((data for number, data in _fields(reply) if number == VALUE_FIELD), None)


def _call(endpoint: Endpoint, token: str | None) -> bytes:
    # Ray's dashboards and GCSs listen on IPv4 wherever the host has it.
    ip = min(endpoint.ips, key=lambda ip: ":" in ip)
    target = f"{'ipv6' if ':' in ip else 'ipv4'}:{host_and_port(ip, endpoint.port)}"
    options = [
        ("grpc.enable_http_proxy", 0),
        ("grpc.max_receive_message_length", MAX_REPLY_BYTES),
        # Else a second call within a second gets the failure of the first.
        ("grpc.use_local_subchannel_pool", 1),
    ]
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    request = _field(KEY_FIELD, b"dashboard") + _field(NAMESPACE_FIELD, b"dashboard")
    with grpc.insecure_channel(target, options) as channel:
        reply: bytes = channel.unary_unary(METHOD)(request, timeout=TIMEOUT_S, metadata=metadata)
    return reply


def _fault(where: str, code: grpc.StatusCode, *, has_token: bool) -> ExternalClusterError:
    if code is grpc.StatusCode.UNAUTHENTICATED and has_token:
        return TokenRefusedError(where, "refuses this token; give the cluster's own.")
    if code is grpc.StatusCode.UNAUTHENTICATED:
        return TokenMissingError(where, "wants a token; give the cluster's own.")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return ClusterTooSlowError(where, f"gave no answer as a GCS within {TIMEOUT_S:g} s.")
    if code is grpc.StatusCode.UNAVAILABLE:
        return ClusterUnreachableError(where, "does not answer as a GCS; check the port.")
    return NotARayDashboardError(where, "answers over gRPC, but is no GCS; check the port.")


def _field(number: int, data: bytes) -> bytes:
    return bytes([number << 3 | BYTES, len(data)]) + data


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == VARINT:
            _, position = _varint(message, position)
            continue
        if kind == BYTES:
            length, position = _varint(message, position)
        elif kind in {FIXED32, FIXED64}:
            length = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"no field has the wire type {kind}")
        if position + length > len(message):
            raise ValueError("the message ends within a field")
        if kind == BYTES:
            yield tag >> 3, message[position : position + length]
        position += length


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    for byte in message[position : position + 10]:
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError("the message ends within a number")
