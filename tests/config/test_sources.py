"""Where a setting may come from, which place wins, and what is taken."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from castray.config import OTHER_VARIABLES, VARIABLES, Settings, load_settings
from tests.config.tables import DEFAULTS, EVERY_SETTING, WRONG_VALUES, section_of

if TYPE_CHECKING:
    from tests.config.conftest import WriteFile


def value_of(settings: Settings, key: str) -> object:
    """The value of a setting in the plain form that a file has it in."""
    section, name = key.split(".")
    value = getattr(getattr(settings, section), name)
    if hasattr(value, "get_secret_value"):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return [item if isinstance(item, (int, str)) else str(item) for item in value]
    return str(value) if isinstance(value, Path) else value


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


def test_variables_of_ours_that_are_no_settings_and_those_of_others_do_no_harm() -> None:
    environ = dict.fromkeys(OTHER_VARIABLES - {"CASTRAY_CONFIG"}, "http://127.0.0.1:1")

    settings = load_settings(environ=environ | {"RAY_JOB_ID": "01", "PATH": "/bin"})

    assert settings == Settings()


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
