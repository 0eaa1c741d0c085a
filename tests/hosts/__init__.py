"""Several real hosts on one Linux machine, and Ray clusters on them, for tests.

A host is a set of namespaces: it has an address, a localhost, ports, a process list, a host name,
a /tmp, a /dev/shm and a home directory of its own, and shares the rest of the file system. Hosts
hang on one bridge, where the test process has the first address. A link can be cut, healed and
capped, and any process killed.

Cleaning up cannot be forgotten: the first process of a host reads a pipe from the test process.
When that closes, for whatever reason, it ends, and the kernel ends every process of the host.

Needs root, iproute2 and util-linux.
"""

from tests.hosts.create import REPOSITORY, create_hosts, why_no_hosts
from tests.hosts.host import Host
from tests.hosts.process import CommandFailedError, HostProcess
from tests.hosts.ray_cluster import FAST_HEALTH_CHECKS, RAYLET, SECOND_PORTS, RayCluster, bare_ray

__all__ = [
    "FAST_HEALTH_CHECKS",
    "RAYLET",
    "REPOSITORY",
    "SECOND_PORTS",
    "CommandFailedError",
    "Host",
    "HostProcess",
    "RayCluster",
    "bare_ray",
    "create_hosts",
    "why_no_hosts",
]
