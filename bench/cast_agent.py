"""A node's agent as a process of its own, without Ray, for casts between many hosts.

python -m bench.cast_agent ADDRESS PORT KEY
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from castray.monitor.node_watch import NodeWatch
from castray.transfer.agent import CastAgent
from castray.transfer.http_agent import serve_agent
from castray.transfer.keyed_http import digest_key

__all__ = ["ROOT", "main"]

ROOT = Path("/tmp/castray")  # noqa: S108 - each host has its own


def main() -> None:
    """Answer until the process is ended."""
    address, port, key = sys.argv[1:]
    ROOT.mkdir(exist_ok=True)
    asyncio.run(_run(address, int(port), key))


async def _run(address: str, port: int, key: str) -> None:
    agent = CastAgent([str(ROOT)], [0], address)
    watch = NodeWatch("bench", monitor_port=1, poll_interval_s=1.0, timeout_s=1.0)
    await serve_agent(agent, watch, digest_key(key)).start(address, [port])
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    main()
