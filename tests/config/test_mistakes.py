"""What a mistake in the settings is told: one line that names the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from castray.config import load_settings
from castray.errors import SettingsError
from tests.config.tables import WRONG_VALUES, section_of

if TYPE_CHECKING:
    from tests.config.conftest import WriteFile


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
