"""Physical load of the machine that this runs on: psutil, and NVML where there is a GPU."""

from __future__ import annotations

import importlib
import logging
import time
from datetime import datetime, timezone
from typing import Any

import psutil

from castray.models import Gpu, Load

__all__ = ["LoadSampler"]

logger = logging.getLogger(__name__)

NVML_MODULES = ("pynvml", "ray._private.thirdparty.pynvml")
"""NVIDIA's binding; a bare Ray worker has it only inside Ray."""


class LoadSampler:
    """Measures the load since its last call: rates and CPU use need two moments.

    `sample` blocks for a few milliseconds (NVML may take longer), so call it from a thread.
    """

    def __init__(self, disk_path: str = "/") -> None:
        self._disk_path = disk_path
        self._nvml = _open_nvml()
        self._network: tuple[float, int, int] | None = None
        self._cpu_started = False

    def sample(self) -> Load:
        """The load now; what could not be measured is None."""
        memory = psutil.virtual_memory()
        disk = psutil.disk_usage(self._disk_path)
        sent, received = self._network_rates()
        return Load(
            measured_at=datetime.now(timezone.utc),
            cpu_percent=self._cpu_percent(),
            memory_percent=memory.percent,
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            disk_percent=disk.percent,
            disk_used_bytes=disk.used,
            disk_total_bytes=disk.total,
            network_sent_bytes_per_s=sent,
            network_received_bytes_per_s=received,
            gpus=tuple(self._gpus()),
        )

    def _cpu_percent(self) -> float | None:
        percent = psutil.cpu_percent(interval=None)
        # The first call has no earlier moment to compare with, and answers 0.0 for that.
        started, self._cpu_started = self._cpu_started, True
        return percent if started else None

    def _network_rates(self) -> tuple[float | None, float | None]:
        interfaces = psutil.net_io_counters(pernic=True)
        outer = [counters for name, counters in interfaces.items() if name != "lo"]
        sent, received = sum(c.bytes_sent for c in outer), sum(c.bytes_recv for c in outer)
        now = time.monotonic()
        before, self._network = self._network, (now, sent, received)
        if before is None or now <= before[0] or sent < before[1] or received < before[2]:
            return None, None
        elapsed_s = now - before[0]
        return (
            round((sent - before[1]) / elapsed_s, 1),
            round((received - before[2]) / elapsed_s, 1),
        )

    def _gpus(self) -> list[Gpu]:
        if self._nvml is None:
            return []
        count = self._nvml.nvmlDeviceGetCount()
        return [_read_gpu(self._nvml, index) for index in range(count)]


def _open_nvml() -> Any:
    """NVML, ready for questions, or None where this machine has no NVIDIA driver."""
    for name in NVML_MODULES:
        try:
            nvml = importlib.import_module(name)
        except ImportError:
            continue
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            logger.info("no GPU is measured: %s", error)
            return None
        return nvml
    return None


def _read_gpu(nvml: Any, index: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    name = nvml.nvmlDeviceGetName(handle)
    utilization = _or_none(nvml, lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
    memory = _or_none(nvml, lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
    return Gpu(
        index=index,
        name=name.decode() if isinstance(name, bytes) else name,
        utilization_percent=None if utilization is None else float(utilization.gpu),
        memory_used_bytes=None if memory is None else int(memory.used),
        memory_total_bytes=None if memory is None else int(memory.total),
    )


def _or_none(nvml: Any, read: Any) -> Any:
    """What NVML answers, or None for a figure that this card does not have."""
    try:
        return read()
    except nvml.NVMLError:
        return None
