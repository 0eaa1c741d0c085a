"""HTTP to the dashboard of one Ray cluster.

Whoever runs that dashboard is not trusted: an answer is bounded in size and time, no redirect is
followed, connections go only to addresses that were checked, and every fault is one error of
`castray.errors` that says what was seen.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, TypeVar

import aiohttp
from pydantic import ValidationError

from castray.core.clusters import DEFAULT_ALLOWED_NETWORKS
from castray.discovery.address import CheckedAddresses, fetch_endpoint, parse_address
from castray.errors import (
    AnswerTooLargeError,
    BadAnswerError,
    ClusterRedirectsError,
    ClusterTooSlowError,
    ClusterUnreachableError,
    NotARayDashboardError,
    TokenMissingError,
    TokenRefusedError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from ipaddress import IPv4Network, IPv6Network

    from typing_extensions import Self

    from castray.discovery.address import ClusterAddress, Endpoint
    from castray.errors import ExternalClusterError

__all__ = ["TIMEOUT_S", "DashboardHttp"]

TIMEOUT_S = 3.0
"""For one whole answer: a lost cluster shows within this and one interval of the watch."""

CONNECT_S = 5.0
"""Also for who grants an answer more time: a host that is off the network takes none of that."""

MAX_BODY_BYTES = 8 * 2**20
"""A node takes 15 to 30 KB of the largest answer."""

MAX_PROBLEM_LENGTH = 300
"""What is wrong in an answer may quote it."""

MAX_CONNECTIONS = 6
"""One for each part of a reading: none waits for another."""

T = TypeVar("T")


class DashboardHttp:
    """A session with one dashboard, made by `open` and closed by `aclose`."""

    usual_timeout_s: ClassVar[float] = TIMEOUT_S
    """For one whole answer, unless `open` is told otherwise."""

    def __init__(
        self, address: ClusterAddress, endpoint: Endpoint, token: str | None, timeout_s: float
    ) -> None:
        self.url = address.dashboard_url
        self._timeout_s = timeout_s
        headers = {"Accept-Encoding": "identity"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=MAX_CONNECTIONS, resolver=CheckedAddresses(endpoint), use_dns_cache=False
            ),
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S),
            headers=headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            # A body is taken as it comes: a few packed kilobytes can be gigabytes.
            auto_decompress=False,
        )

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        allowed: Sequence[IPv4Network | IPv6Network] = DEFAULT_ALLOWED_NETWORKS,
        token: str | None = None,
        timeout_s: float | None = None,
    ) -> Self:
        """The dashboard at a URL or `host:port`; nothing is asked of it yet.

        Args:
            url: Its address.
            allowed: The networks that we may connect to.
            token: The cluster's token, if it wants one.
            timeout_s: For one whole answer; None: as long as is usual for what is asked.

        Raises:
            InvalidRequestError: That is no address.
            ExternalClusterError: The host has no address, or none that we may connect to.
        """
        address = parse_address(url)
        endpoint = await fetch_endpoint(address.host, address.port, allowed)
        return cls(address, endpoint, token, timeout_s or cls.usual_timeout_s)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._session.close()

    async def fetch(
        self,
        path: str,
        parse: Callable[[bytes], T],
        mismatch: type[ExternalClusterError] = BadAnswerError,
        *,
        method: str = "GET",
        data: aiohttp.Payload | None = None,
    ) -> T:
        """What `parse` makes of an answer; `mismatch` is raised for what Ray would never answer.

        Raises:
            ExternalClusterError: There is none, or it says no.
        """
        status, body = await self._request(method, path, data)
        if status == 401:
            raise TokenMissingError(self.url, "wants a token; connect with the cluster's own.")
        if status == 403:
            raise TokenRefusedError(self.url, "refuses this token; connect with the cluster's own.")
        if 300 <= status < 400:
            raise ClusterRedirectsError(
                self.url, "answers with a redirect; give the address that it leads to."
            )
        if status >= 500:
            raise BadAnswerError(self.url, f"fails to answer {path}, with status {status}.")
        if status != 200:
            raise mismatch(self.url, f"answers {path} with status {status}, as no Ray does.")
        try:
            return parse(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            problem = f"answers {path} as no Ray does: {where} {first['msg']}"
            raise mismatch(self.url, f"{problem[:MAX_PROBLEM_LENGTH]}.") from None

    async def _request(
        self, method: str, path: str, data: aiohttp.Payload | None
    ) -> tuple[int, bytes]:
        try:
            async with self._session.request(
                method, self.url + path, data=data, allow_redirects=False
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        raise AnswerTooLargeError(
                            self.url, f"answers {path} with more than {MAX_BODY_BYTES} bytes."
                        )
                return response.status, bytes(body)
        except aiohttp.ServerTimeoutError:
            raise ClusterUnreachableError(
                self.url, f"did not take a connection within {CONNECT_S:g} s."
            ) from None
        except asyncio.TimeoutError:
            raise ClusterTooSlowError(
                self.url, f"gave no whole answer within {self._timeout_s:g} s."
            ) from None
        except aiohttp.ClientConnectionError as error:
            raise ClusterUnreachableError(
                self.url, f"cannot be reached ({_cause(error)}); make sure that the cluster runs."
            ) from None
        except aiohttp.ClientPayloadError:
            raise BadAnswerError(self.url, f"broke off its answer to {path}.") from None
        except aiohttp.ClientError:
            raise NotARayDashboardError(
                self.url, "does not speak HTTP; give the address of a Ray dashboard."
            ) from None


def _cause(error: aiohttp.ClientConnectionError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
