"""Every setting: its default, its variable, and values that are wrong for it."""

from __future__ import annotations

from typing import Any

__all__ = ["DEFAULTS", "EVERY_SETTING", "WRONG_VALUES", "section_of"]

DEFAULTS: dict[str, dict[str, Any]] = {
    "ray_cluster": {
        "address": "auto",
        "namespace": "castray",
        "external_discovery": True,
        "fallback_to_local": True,
    },
    "web_server": {"host": "127.0.0.1", "port": 8000, "cors_origins": []},
    "external_cluster": {
        "enabled": True,
        "auto_discover": True,
        "connection_timeout": 10,
        "discovery_methods": ["ray_status", "dashboard_scan", "temp_dir"],
        "port_scan_range": [8265, 8269],
        "allowed_networks": [
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "::1/128",
            "fc00::/7",
        ],
    },
    "monitor": {
        "port": 8000,
        "poll_interval_s": 1.0,
        "timeout_s": 1.0,
        "fallback_status": "idle",
        "embedded": False,
    },
    "transfer": {
        "roots": ["~/castray"],
        "port_range": [28900, 28999],
        "max_casts_per_node": 4,
        "outposts": "on_demand",
        "agent_idle_s": 600.0,
    },
    "auth": {"token": None, "viewer_token": None, "token_file": None},
    "store": {"path": "~/.castray/castray.db"},
}


# Every setting: its variable, a text for it that is not its default, and what that text means.
EVERY_SETTING = [
    ("ray_cluster.address", "RAY_ADDRESS", "ray://127.0.0.1:10001", "ray://127.0.0.1:10001"),
    ("ray_cluster.namespace", "CASTRAY_RAY_CLUSTER__NAMESPACE", "edge", "edge"),
    (
        "ray_cluster.external_discovery",
        "CASTRAY_RAY_CLUSTER__EXTERNAL_DISCOVERY",
        "false",
        False,
    ),
    ("ray_cluster.fallback_to_local", "CASTRAY_RAY_CLUSTER__FALLBACK_TO_LOCAL", "0", False),
    ("web_server.host", "CASTRAY_WEB_SERVER__HOST", "0.0.0.0", "0.0.0.0"),
    ("web_server.port", "CASTRAY_WEB_SERVER__PORT", "9000", 9000),
    (
        "web_server.cors_origins",
        "CASTRAY_WEB_SERVER__CORS_ORIGINS",
        "http://a.example, https://b.example:8443",
        ["http://a.example", "https://b.example:8443"],
    ),
    ("external_cluster.enabled", "EXTERNAL_CLUSTER_ENABLED", "false", False),
    ("external_cluster.auto_discover", "CASTRAY_EXTERNAL_CLUSTER__AUTO_DISCOVER", "no", False),
    ("external_cluster.connection_timeout", "CLUSTER_DISCOVERY_TIMEOUT", "15", 15),
    (
        "external_cluster.discovery_methods",
        "CASTRAY_EXTERNAL_CLUSTER__DISCOVERY_METHODS",
        '["process_scan", "ray_status"]',
        ["process_scan", "ray_status"],
    ),
    (
        "external_cluster.port_scan_range",
        "CASTRAY_EXTERNAL_CLUSTER__PORT_SCAN_RANGE",
        "8265,8267",
        [8265, 8267],
    ),
    (
        "external_cluster.allowed_networks",
        "CASTRAY_EXTERNAL_CLUSTER__ALLOWED_NETWORKS",
        "10.0.0.0/8,fd00::/8",
        ["10.0.0.0/8", "fd00::/8"],
    ),
    ("monitor.port", "CASTRAY_MONITOR__PORT", "8001", 8001),
    ("monitor.poll_interval_s", "CASTRAY_MONITOR__POLL_INTERVAL_S", "0.5", 0.5),
    ("monitor.timeout_s", "CASTRAY_MONITOR__TIMEOUT_S", "2", 2),
    ("monitor.fallback_status", "CASTRAY_MONITOR__FALLBACK_STATUS", "unknown", "unknown"),
    ("monitor.embedded", "CASTRAY_MONITOR__EMBEDDED", "true", True),
    ("transfer.roots", "CASTRAY_TRANSFER__ROOTS", "/data,~/out", ["/data", "~/out"]),
    ("transfer.port_range", "CASTRAY_TRANSFER__PORT_RANGE", "[4000, 4001]", [4000, 4001]),
    ("transfer.max_casts_per_node", "CASTRAY_TRANSFER__MAX_CASTS_PER_NODE", "2", 2),
    ("transfer.outposts", "CASTRAY_TRANSFER__OUTPOSTS", "on_connect", "on_connect"),
    ("transfer.agent_idle_s", "CASTRAY_TRANSFER__AGENT_IDLE_S", "30", 30.0),
    ("auth.token", "CASTRAY_AUTH__TOKEN", "k3y", "k3y"),
    ("auth.viewer_token", "CASTRAY_AUTH__VIEWER_TOKEN", "l00k", "l00k"),
    ("auth.token_file", "CASTRAY_AUTH__TOKEN_FILE", "/run/token", "/run/token"),
    ("store.path", "CASTRAY_STORE__PATH", "/var/lib/castray.db", "/var/lib/castray.db"),
]

WRONG_VALUES = [
    ("ray_cluster.address", "http://127.0.0.1:8265", "ray://HOST:PORT"),
    ("ray_cluster.address", "127.0.0.1", "HOST:PORT"),
    ("ray_cluster.address", "ray://127.0.0.1:70000", "HOST:PORT"),
    ("ray_cluster.address", "bad host:6379", "host name"),
    ("ray_cluster.namespace", "", "at least 1 character"),
    ("ray_cluster.external_discovery", "true", "valid boolean"),
    ("ray_cluster.fallback_to_local", 1, "valid boolean"),
    ("web_server.host", "256.0.0.1", "IP address or a host name"),
    ("web_server.host", "here/there", "IP address or a host name"),
    ("web_server.host", "::1", "IPv4 address or a host name"),
    ("web_server.host", "", "IP address or a host name"),
    ("web_server.port", 0, "greater than or equal to 1"),
    ("web_server.port", 65536, "less than or equal to 65535"),
    ("web_server.port", "8000", "valid integer"),
    ("web_server.port", True, "valid integer"),
    ("web_server.port", 8000.5, "valid integer"),
    ("web_server.cors_origins", "http://a.example", "valid array"),
    ("web_server.cors_origins", ["*"], "item 1 should be an origin"),
    ("web_server.cors_origins", ["http://a.example", "b.example"], "item 2 should be an origin"),
    ("web_server.cors_origins", ["http://a.example/page"], "no path"),
    ("web_server.cors_origins", ["http://a.example:99999"], "should be an origin"),
    ("web_server.cors_origins", ["http://me@a.example"], "should be an origin"),
    ("external_cluster.enabled", None, "valid boolean"),
    ("external_cluster.auto_discover", "yes", "valid boolean"),
    ("external_cluster.connection_timeout", 0, "greater than 0"),
    ("external_cluster.connection_timeout", "10", "valid number"),
    ("external_cluster.discovery_methods", ["ray_status", "guess"], "item 2 should be"),
    ("external_cluster.port_scan_range", [8269, 8265], "the lower one first"),
    ("external_cluster.port_scan_range", [8265], "item 2 is missing"),
    ("external_cluster.port_scan_range", [1, 2, 3], "at most 2 items"),
    ("external_cluster.port_scan_range", [0, 10], "item 1 should be greater"),
    ("external_cluster.allowed_networks", ["10.0.0.0/8", "10/64"], "item 2 should be a valid"),
    ("monitor.port", -1, "greater than or equal to 1"),
    ("monitor.poll_interval_s", 0, "greater than 0"),
    ("monitor.poll_interval_s", float("inf"), "finite number"),
    ("monitor.timeout_s", -1.0, "greater than 0"),
    ("monitor.fallback_status", "busy", "'idle' or 'unknown'"),
    ("monitor.embedded", "on", "valid boolean"),
    ("transfer.roots", ["data"], "absolute path"),
    ("transfer.roots", ["/data/../etc"], "without .."),
    ("transfer.port_range", [28999, 28900], "the lower one first"),
    ("transfer.max_casts_per_node", 0, "greater than or equal to 1"),
    ("transfer.roots", [], "at least 1 item"),
    ("transfer.outposts", "always", "'on_demand', 'on_connect' or 'never'"),
    ("transfer.agent_idle_s", 0, "greater than 0"),
    ("auth.token", "two words", "without spaces"),
    ("auth.token", "", "visible ASCII"),
    ("auth.viewer_token", "ключ", "visible ASCII"),
    ("auth.token_file", 5, "valid string"),
    ("store.path", "castray.db", "absolute path"),
]


def section_of(key: str, value: object) -> dict[str, dict[str, object]]:
    """What a file says that sets this only."""
    section, name = key.split(".")
    return {section: {name: value}}
