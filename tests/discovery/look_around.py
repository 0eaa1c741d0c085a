"""Run on a host: says, as JSON, what discovery sees there and where the given addresses lead."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import get_args

from castray.config import DiscoveryMethod
from castray.discovery.dashboard import Dashboard
from castray.discovery.discover import discover
from castray.discovery.locate import Locator
from castray.discovery.probe import NetworkProbe
from castray.discovery.sources import make_sources
from castray.discovery.temp_dir import default_temp_dir


async def main(addresses: list[str]) -> None:
    sources = make_sources(get_args(DiscoveryMethod), temp_dir=default_temp_dir(os.environ))
    report = await discover(sources, NetworkProbe(), 10)
    urls = [await Locator().fetch_dashboard_url(address) for address in addresses]
    dashboard = await Dashboard.open(urls[0])
    reading = await dashboard.fetch_reading()
    await dashboard.aclose()
    seen = {"report": report.model_dump(), "urls": urls, "faults": reading.faults}
    sys.stdout.write(json.dumps(seen))


asyncio.run(main(sys.argv[1:]))
