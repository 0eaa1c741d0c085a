"""One frozen `Settings`, and the only reader of the settings file and the environment.

Three layers, each over the one before: the file named by `CASTRAY_CONFIG` (JSON or YAML), the
environment, command-line flags. Each layer is checked by itself, so that a mistake is named the
way its writer wrote it, even where a later layer would have hidden it.
"""

from __future__ import annotations

import ipaddress
import json
import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_origin

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    ValidationError,
    model_validator,
)

from castray.errors import SettingsError
from castray.models import DEFAULT_ROOT, PRIVATE_NETWORKS
from castray.setting_types import (
    NodePath,
    Origin,
    Port,
    PortRange,
    RayAddress,
    Seconds,
    Token,
    WebHost,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

__all__ = [
    "OTHER_VARIABLES",
    "VARIABLES",
    "AuthSettings",
    "DiscoveryMethod",
    "ExternalClusterSettings",
    "MonitorSettings",
    "RayClusterSettings",
    "Settings",
    "StoreSettings",
    "TransferSettings",
    "WebServerSettings",
    "load_settings",
]

CONFIG_VARIABLE = "CASTRAY_CONFIG"

FIXED_VARIABLES = {
    "ray_cluster.address": "RAY_ADDRESS",
    "external_cluster.enabled": "EXTERNAL_CLUSTER_ENABLED",
    "external_cluster.connection_timeout": "CLUSTER_DISCOVERY_TIMEOUT",
}
"""Variables whose names were there before CastRay's own scheme."""

OTHER_VARIABLES = frozenset(
    {
        CONFIG_VARIABLE,
        "CASTRAY_MONITOR_URL",  # where StatusReporter reports to
        "CASTRAY_URL",  # which CastRay the command line asks
        "CASTRAY_WITHOUT_PAGE",  # a build of the package that leaves the page out
    }
)
"""Variables of ours that are no settings; every other `CASTRAY_…` that is none is a mistake."""

SUGGESTION_CUTOFF = 0.8
"""The prefix `CASTRAY_` alone makes any two short names somewhat alike."""

DiscoveryMethod = Literal["ray_status", "dashboard_scan", "temp_dir", "process_scan"]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RayClusterSettings(_Section):
    """The home cluster."""

    address: RayAddress = "auto"
    namespace: Annotated[str, Field(min_length=1)] = "castray"
    external_discovery: bool = True
    fallback_to_local: bool = True
    """Whether `castray up` starts Ray itself where `auto` finds none."""


class WebServerSettings(_Section):
    """Where the API and the page are served."""

    host: WebHost = "127.0.0.1"
    port: Port = 8000
    cors_origins: tuple[Origin, ...] = ()


class ExternalClusterSettings(_Section):
    """Other Ray clusters: whether, how and where they are looked for."""

    enabled: bool = True
    auto_discover: bool = True
    connection_timeout: Seconds = 10.0
    discovery_methods: tuple[DiscoveryMethod, ...] = ("ray_status", "dashboard_scan", "temp_dir")
    port_scan_range: PortRange = (8265, 8269)
    allowed_networks: tuple[IPvAnyNetwork, ...] = tuple(map(ipaddress.ip_network, PRIVATE_NETWORKS))
    """Where we may connect to; never link-local addresses, whatever this says."""


class MonitorSettings(_Section):
    """The monitors on the nodes, and how they are read."""

    port: Port = 8000
    poll_interval_s: Seconds = 1.0
    timeout_s: Seconds = 1.0
    fallback_status: Literal["idle", "unknown"] = "idle"
    embedded: bool = False
    """Whether CastRay is the monitor where a node has none.

    `castray up` takes true for a Ray that it starts, unless this is in `model_fields_set`.
    """


class TransferSettings(_Section):
    """Files between nodes."""

    roots: Annotated[tuple[NodePath, ...], Field(min_length=1)] = (DEFAULT_ROOT,)
    port_range: PortRange = (28900, 28999)
    max_casts_per_node: Annotated[int, Field(ge=1)] = 4
    outposts: Literal["on_demand", "on_connect", "never"] = "on_demand"
    """When CastRay installs itself on a connected cluster, to reach the files there."""
    agent_idle_s: Seconds = 600.0


class AuthSettings(_Section):
    """Who may do what; `viewer_token` reads only."""

    token: Token | None = None
    viewer_token: Token | None = None
    token_file: Annotated[Path, AfterValidator(Path.expanduser)] | None = None
    """Where a token that CastRay made itself is kept."""

    @model_validator(mode="after")
    def _tokens_differ(self) -> AuthSettings:
        if self.token is not None and self.token == self.viewer_token:
            raise ValueError("token and viewer_token should differ: a viewer may only read")
        return self


class StoreSettings(_Section):
    """What must outlive the registry."""

    path: NodePath = "~/.castray/castray.db"
    """The SQLite file on the head, where the registry lives."""


class Settings(_Section):
    """Everything that can be set. `model_fields_set` of a section names what somebody did set."""

    ray_cluster: RayClusterSettings = RayClusterSettings()
    web_server: WebServerSettings = WebServerSettings()
    external_cluster: ExternalClusterSettings = ExternalClusterSettings()
    monitor: MonitorSettings = MonitorSettings()
    transfer: TransferSettings = TransferSettings()
    auth: AuthSettings = AuthSettings()
    store: StoreSettings = StoreSettings()


def _scheme_name(key: str) -> str:
    return f"CASTRAY_{key.replace('.', '__').upper()}"


VARIABLES: dict[str, str] = {
    key: FIXED_VARIABLES.get(key, _scheme_name(key))
    for key in (
        f"{section}.{name}"
        for section, default in Settings()
        for name in type(default).model_fields
    )
}
"""The variable of each setting, by its key such as `web_server.port`."""

LIST_KEYS = frozenset(
    f"{section}.{name}"
    for section, default in Settings()
    for name, field in type(default).model_fields.items()
    if get_origin(field.annotation) is tuple
)
"""The settings whose variable may be JSON or separated by commas."""


def load_settings(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    file: str | None = None,
    flag_names: Mapping[str, str] | None = None,
) -> Settings:
    """Read the settings file, then the environment over it, then the flags.

    Args:
        flags: Values by key, such as `{"web_server.port": 9000}`; None means: not given.
        environ: The variables; an empty one counts as not set.
        file: The settings file, instead of the one that `CASTRAY_CONFIG` names.
        flag_names: How the flags are written, by key, for the text of a mistake.

    Raises:
        SettingsError: A key is unknown, or a value is of the wrong type or impossible.
    """
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    path, written = (file, "--config") if file else (environ.get(CONFIG_VARIABLE), CONFIG_VARIABLE)
    merged: dict[str, dict[str, object]] = {}
    for layer in (
        _read_file(path, written) if path else Settings(),
        _read_environment({name: text for name, text in environ.items() if text}),
        _validated(_nested(given), flag_names or {}),
    ):
        for section, values in layer.model_dump(exclude_unset=True).items():
            merged.setdefault(section, {}).update(values)
    return _validated(merged, {})


def _read_file(path: str, written: str) -> Settings:
    try:
        data = _parse_file(Path(path).expanduser().read_text(encoding="utf-8"), path)
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(written, f"the settings file {path} is not usable: {problem}") from None
    if not isinstance(data, dict):
        raise SettingsError(written, f"the settings file {path} should hold sections with keys")
    # As JSON, because only there a list may stand for a tuple and a string not for a number.
    try:
        return Settings.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        raise _settings_error(error.errors()[0], {}, f" (in {path})") from None


def _parse_file(text: str, path: str) -> object:
    if path.endswith(".json"):
        return json.loads(text)
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None
    return {} if data is None else data


def _read_environment(environ: Mapping[str, str]) -> Settings:
    known = {_scheme_name(key): name for key, name in VARIABLES.items()}
    known |= {name: name for name in OTHER_VARIABLES}
    for name in environ:
        if name.startswith("CASTRAY_") and name not in known.values():
            raise SettingsError(name, f"there is no such variable{_suggestion(name, known)}")
    values = {
        key: _parse_list(environ[name], name) if key in LIST_KEYS else environ[name]
        for key, name in VARIABLES.items()
        if name in environ
    }
    return _validated(_nested(values), VARIABLES)


def _parse_list(text: str, name: str) -> object:
    if not text.lstrip().startswith("["):
        return [item.strip() for item in text.split(",")]
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(name, f"is no JSON list: {error}") from None


def _nested(values: Mapping[str, object]) -> dict[str, dict[str, object]]:
    nested: dict[str, dict[str, object]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        nested.setdefault(section, {})[name] = value
    return nested


def _validated(data: Mapping[str, object], written: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise _settings_error(error.errors()[0], written) from None


def _settings_error(
    error: ErrorDetails, written: Mapping[str, str], place: str = ""
) -> SettingsError:
    key = ".".join(str(part) for part in error["loc"][:2])
    if error["type"] == "extra_forbidden":
        known = {name: name for name in (VARIABLES if "." in key else Settings.model_fields)}
        return SettingsError(key, f"there is no such setting{place}{_suggestion(key, known)}")
    item = "".join(f"item {int(index) + 1} " for index in error["loc"][2:])
    return SettingsError(written.get(key, key), f"{item}{_expectation(error)}{place}")


def _expectation(error: ErrorDetails) -> str:
    """What would be right and, unless it may be a secret, what was given."""
    if error["type"] == "missing":
        return "is missing"
    text = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    text = text.replace("value is not a valid", "should be a valid")
    return text if error["loc"][0] == "auth" else f"{text}, not {error['input']!r}"


def _suggestion(name: str, known: Mapping[str, str]) -> str:
    """Ask for what was meant; `known` has the right spelling of each name somebody may try."""
    close = get_close_matches(name, known, n=1, cutoff=SUGGESTION_CUTOFF)
    return f"; did you mean {known[close[0]]}?" if close else "; docs/settings.md lists them all"
