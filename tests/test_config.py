"""The settings: what each layer may say, which one wins, and what a mistake is told."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from castray.config import OTHER_VARIABLES, VARIABLES, Settings, load_settings
from castray.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

    WriteFile = Callable[..., str]

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


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    def write(text: object, name: str = "castray.json") -> str:
        path = tmp_path / name
        path.write_text(text if isinstance(text, str) else json.dumps(text), encoding="utf-8")
        return str(path)

    return write


def value_of(settings: Settings, key: str) -> object:
    """The value of a setting in the plain form that a file has it in."""
    section, name = key.split(".")
    value = getattr(getattr(settings, section), name)
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return [item if isinstance(item, (int, str)) else str(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def section_of(key: str, value: object) -> dict[str, dict[str, object]]:
    section, name = key.split(".")
    return {section: {name: value}}


def test_nothing_set_gives_the_documented_defaults() -> None:
    settings = load_settings(environ={})

    assert {
        section: {name: value_of(settings, f"{section}.{name}") for name in keys}
        for section, keys in DEFAULTS.items()
    } == DEFAULTS
    assert settings.model_fields_set == set()


def test_the_tables_of_this_test_cover_every_setting() -> None:
    keys = {f"{section}.{name}" for section, keys in DEFAULTS.items() for name in keys}

    assert keys == set(VARIABLES)
    assert [(key, variable) for key, variable, *_ in EVERY_SETTING] == list(VARIABLES.items())
    assert {key for key, *_ in WRONG_VALUES} == keys


@pytest.mark.parametrize(("key", "variable", "text", "meaning"), EVERY_SETTING)
def test_a_setting_is_read_from_the_file(
    key: str, variable: str, text: str, meaning: object, write_file: WriteFile
) -> None:
    path = write_file(section_of(key, meaning))

    settings = load_settings(environ={"CASTRAY_CONFIG": path})

    assert value_of(settings, key) == meaning


@pytest.mark.parametrize(("key", "variable", "text", "meaning"), EVERY_SETTING)
def test_a_variable_overrides_the_file(
    key: str, variable: str, text: str, meaning: object, write_file: WriteFile
) -> None:
    path = write_file(DEFAULTS)

    settings = load_settings(environ={"CASTRAY_CONFIG": path, variable: text})

    assert value_of(settings, key) == meaning


@pytest.mark.parametrize(("key", "variable", "text", "meaning"), EVERY_SETTING)
def test_a_flag_overrides_the_variable(key: str, variable: str, text: str, meaning: object) -> None:
    section, name = key.split(".")
    flag = DEFAULTS[section][name] or "flag"
    if key == "web_server.cors_origins":
        flag = ["http://flag.example"]
    elif key == "monitor.embedded":
        flag = False

    settings = load_settings({key: flag}, {variable: text})

    assert value_of(settings, key) == flag


def test_a_flag_that_was_not_given_overrides_nothing() -> None:
    settings = load_settings({"web_server.port": None}, {"CASTRAY_WEB_SERVER__PORT": "9000"})

    assert settings.web_server.port == 9000


def test_an_empty_variable_counts_as_not_set() -> None:
    settings = load_settings(environ={"CASTRAY_WEB_SERVER__PORT": "", "CASTRAY_CONFIG": ""})

    assert settings == Settings()


def test_settings_of_one_section_may_come_from_three_places(write_file: WriteFile) -> None:
    path = write_file({"monitor": {"port": 1, "timeout_s": 3, "poll_interval_s": 3}})

    settings = load_settings(
        {"monitor.port": 3},
        {"CASTRAY_MONITOR__PORT": "2", "CASTRAY_MONITOR__TIMEOUT_S": "2", "CASTRAY_CONFIG": path},
    )

    assert settings.monitor.port == 3
    assert settings.monitor.timeout_s == 2
    assert settings.monitor.poll_interval_s == 3
    assert settings.monitor.model_fields_set == {"port", "timeout_s", "poll_interval_s"}


def test_a_yaml_file_is_read_like_a_json_file(write_file: WriteFile) -> None:
    path = write_file("monitor:\n  port: 8001\n  timeout_s: 2  # slow\n", "castray.yaml")

    settings = load_settings(environ={"CASTRAY_CONFIG": path})

    assert settings.monitor.port == 8001
    assert settings.monitor.timeout_s == 2


def test_an_empty_yaml_file_sets_nothing(write_file: WriteFile) -> None:
    path = write_file("# nothing yet\n", "castray.yaml")

    assert load_settings(environ={"CASTRAY_CONFIG": path}) == Settings()


def test_a_file_given_by_hand_replaces_the_one_of_the_variable(write_file: WriteFile) -> None:
    path = write_file({"monitor": {"port": 8001}})

    settings = load_settings(environ={"CASTRAY_CONFIG": "/nowhere.json"}, file=path)

    assert settings.monitor.port == 8001


@pytest.mark.parametrize(("key", "value", "expectation"), WRONG_VALUES)
def test_a_wrong_value_in_the_file_is_one_line_that_names_the_key(
    key: str, value: object, expectation: str, write_file: WriteFile
) -> None:
    path = write_file(section_of(key, value))

    with pytest.raises(SettingsError) as caught:
        load_settings(environ={"CASTRAY_CONFIG": path})

    assert caught.value.key == key
    assert str(caught.value).startswith(f"{key}: ")
    assert expectation in caught.value.problem
    assert path in caught.value.problem
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text", "expectation"),
    [
        ("RAY_ADDRESS", "http://127.0.0.1:8265", "ray://HOST:PORT"),
        ("EXTERNAL_CLUSTER_ENABLED", "maybe", "valid boolean"),
        ("CLUSTER_DISCOVERY_TIMEOUT", "soon", "valid number"),
        ("CASTRAY_WEB_SERVER__PORT", "http", "valid integer"),
        ("CASTRAY_WEB_SERVER__CORS_ORIGINS", "http://a.example,b", "item 2 should be an origin"),
        ("CASTRAY_EXTERNAL_CLUSTER__PORT_SCAN_RANGE", "8265-8269", "item 1 should be"),
        ("CASTRAY_EXTERNAL_CLUSTER__PORT_SCAN_RANGE", "[8265,", "no JSON list"),
        ("CASTRAY_MONITOR__POLL_INTERVAL_S", "nan", "finite number"),
    ],
)
def test_a_wrong_variable_is_one_line_that_names_the_variable(
    variable: str, text: str, expectation: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={variable: text})

    assert caught.value.key == variable
    assert expectation in caught.value.problem
    assert "\n" not in str(caught.value)


def test_a_mistake_in_the_file_stops_even_where_a_variable_overrides_it(
    write_file: WriteFile,
) -> None:
    path = write_file({"monitor": {"port": 0}})

    with pytest.raises(SettingsError, match=r"monitor\.port"):
        load_settings(environ={"CASTRAY_CONFIG": path, "CASTRAY_MONITOR__PORT": "8001"})


@pytest.mark.parametrize(
    ("content", "key", "suggestion"),
    [
        ({"monitor": {"prot": 8001}}, "monitor.prot", "monitor.port"),
        ({"webserver": {"port": 8001}}, "webserver", "web_server"),
        ({"auth": {"tokens": "x"}}, "auth.tokens", "auth.token"),
        ({"colour": "blue"}, "colour", "docs/settings.md"),
    ],
)
def test_an_unknown_key_stops_the_start_and_the_close_one_is_suggested(
    content: object, key: str, suggestion: str, write_file: WriteFile
) -> None:
    path = write_file(content)

    with pytest.raises(SettingsError) as caught:
        load_settings(environ={"CASTRAY_CONFIG": path})

    assert caught.value.key == key
    assert "no such setting" in caught.value.problem
    assert suggestion in caught.value.problem


@pytest.mark.parametrize(
    ("variable", "suggestion"),
    [
        ("CASTRAY_WEB_SERVER__PROT", "CASTRAY_WEB_SERVER__PORT"),
        ("CASTRAY_WEB_SERVER_PORT", "CASTRAY_WEB_SERVER__PORT"),
        ("CASTRAY_RAY_CLUSTER__ADDRESS", "RAY_ADDRESS"),
        ("CASTRAY_EXTERNAL_CLUSTER__ENABLED", "EXTERNAL_CLUSTER_ENABLED"),
        ("CASTRAY_CONFIGURATION", "CASTRAY_CONFIG"),
        ("CASTRAY_FAVOURITE_COLOUR", "docs/settings.md"),
    ],
)
def test_an_unknown_variable_stops_the_start_and_the_close_one_is_suggested(
    variable: str, suggestion: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={variable: "1"})

    assert caught.value.key == variable
    assert caught.value.problem.endswith((f"did you mean {suggestion}?", "lists them all"))
    assert suggestion in caught.value.problem


def test_variables_of_ours_that_are_no_settings_and_those_of_others_do_no_harm() -> None:
    environ = dict.fromkeys(OTHER_VARIABLES - {"CASTRAY_CONFIG"}, "http://127.0.0.1:1")

    settings = load_settings(environ=environ | {"RAY_JOB_ID": "01", "PATH": "/bin"})

    assert settings == Settings()


@pytest.mark.parametrize(
    ("text", "name", "expectation"),
    [
        ('{"monitor": ', "broken.json", "line 1"),
        ("monitor: [1", "broken.yaml", "line 1"),
        ("[]", "list.json", "sections"),
        ("port", "text.yaml", "sections"),
    ],
)
def test_an_unreadable_file_is_one_line_that_names_the_file(
    text: str, name: str, expectation: str, write_file: WriteFile
) -> None:
    path = write_file(text, name)

    with pytest.raises(SettingsError) as caught:
        load_settings(environ={"CASTRAY_CONFIG": path})

    assert caught.value.key == "CASTRAY_CONFIG"
    assert path in caught.value.problem
    assert expectation in caught.value.problem
    assert "\n" not in str(caught.value)


def test_a_section_without_keys_is_named(write_file: WriteFile) -> None:
    path = write_file("monitor:\n", "castray.yaml")

    with pytest.raises(SettingsError, match="monitor: should be an object"):
        load_settings(environ={"CASTRAY_CONFIG": path})


def test_a_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"CASTRAY_CONFIG: .*/nowhere\.json .*No such file"):
        load_settings(environ={"CASTRAY_CONFIG": "/nowhere.json"})
    with pytest.raises(SettingsError, match=r"--config: .*/nowhere\.json"):
        load_settings(environ={}, file="/nowhere.json")


def test_a_viewer_token_that_would_do_everything_is_refused_across_layers(
    write_file: WriteFile,
) -> None:
    path = write_file({"auth": {"token": "s3same"}})

    with pytest.raises(SettingsError, match="viewer_token should differ") as caught:
        load_settings(environ={"CASTRAY_CONFIG": path, "CASTRAY_AUTH__VIEWER_TOKEN": "s3same"})

    assert "s3same" not in str(caught.value)


def test_a_token_is_never_printed() -> None:
    settings = load_settings(environ={"CASTRAY_AUTH__TOKEN": "s3same"})
    with pytest.raises(SettingsError) as caught:
        load_settings(environ={"CASTRAY_AUTH__TOKEN": "s3 same"})

    assert "s3same" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert "s3 same" not in str(caught.value)


def test_a_home_directory_in_the_token_file_is_this_machines() -> None:
    settings = load_settings(environ={"CASTRAY_AUTH__TOKEN_FILE": "~/token"})

    assert settings.auth.token_file == Path.home() / "token"


@pytest.mark.parametrize("address", ["auto", "local", "10.0.0.1:6379", "[::1]:6379", "ray://h:1"])
def test_each_form_of_a_ray_address_is_taken(address: str) -> None:
    assert load_settings(environ={"RAY_ADDRESS": address}).ray_cluster.address == address


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost", "node-1.edge.example"])
def test_each_form_of_a_host_is_taken(host: str) -> None:
    assert load_settings({"web_server.host": host}, {}).web_server.host == host


def test_settings_cannot_be_changed_and_travel_whole() -> None:
    settings = load_settings({"monitor.port": 8001}, {"CASTRAY_AUTH__TOKEN": "s3same"})

    with pytest.raises(ValidationError):
        settings.monitor.port = 1  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301
