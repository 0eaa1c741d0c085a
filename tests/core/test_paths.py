from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castray.core.paths import (
    RootedPath,
    is_glob,
    is_partial_name,
    link_stays_inside,
    parse_parts,
    plan_path,
    shown,
)
from castray.errors import UnsafePathError

ROOTS = ["/home/edge/castray", "/data", "/data/models"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.bin", RootedPath("/home/edge/castray", ("a.bin",))),
        ("./a//b/", RootedPath("/home/edge/castray", ("a", "b"), names_directory=True)),
        ("/data/x.bin", RootedPath("/data", ("x.bin",))),
        ("/data/models/y.pt", RootedPath("/data/models", ("y.pt",))),
        ("/data/", RootedPath("/data", (), names_directory=True)),
        ("权重 文件.bin", RootedPath("/home/edge/castray", ("权重 文件.bin",))),
        ("...", RootedPath("/home/edge/castray", ("...",))),
    ],
)
def test_a_path_is_found_in_the_innermost_root(text: str, expected: RootedPath) -> None:
    assert plan_path(text, ROOTS) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("/etc/passwd", "outside"),
        ("/database/x", "outside"),
        ("/data/../etc/passwd", "upwards"),
        ("../x", "upwards"),
        ("a/../../b", "upwards"),
        ("a/..", "upwards"),
        ("a\0b", "NUL"),
        ("x" * 256, "256 bytes"),
        ("文" * 86, "258 bytes"),
        ("/".join(["d" * 250] * 17), "longer than 4095"),
        ("caf\udce9", "not UTF-8"),
        ("a/.castray-1.partial/0", "still receiving"),
    ],
)
def test_a_path_that_nobody_may_touch_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(UnsafePathError, match=problem):
        plan_path(text, ROOTS)


def test_an_absolute_path_is_no_path_beneath_a_directory() -> None:
    with pytest.raises(UnsafePathError, match="absolute"):
        parse_parts("/a")


@given(st.text())
def test_whatever_is_accepted_has_harmless_parts(text: str) -> None:
    try:
        path = plan_path(text, ["/root"])
    except UnsafePathError:
        return

    assert all(part not in ("", ".", "..") for part in path.parts)
    assert not any("/" in part or "\0" in part for part in path.parts)
    assert all(len(part.encode()) <= 255 for part in path.parts)


@given(st.text())
def test_every_refusal_can_be_printed(text: str) -> None:
    assert b"\0" not in shown(text).encode()


def test_a_rooted_path_reads_like_a_path() -> None:
    assert str(RootedPath("/data/", ("a", "b"))) == "/data/a/b"
    assert str(RootedPath("/", ("a",))) == "/a"


@pytest.mark.parametrize(
    ("parts", "target", "stays"),
    [
        (("tree", "a"), "b", True),
        (("tree", "d", "a"), "../b", True),
        (("tree", "d", "a"), "..", True),
        (("tree", "d", "a"), ".", True),
        (("tree", "a"), "../tree/b", False),
        (("tree", "a"), "..", False),
        (("tree", "d", "a"), "../../b", False),
        (("tree", "d", "a"), "x/../../../b", False),
        (("tree", "a"), "/etc/passwd", False),
        (("tree", "a"), "", False),
        (("top",), "b", False),
    ],
)
def test_a_link_may_not_lead_out_of_its_tree(
    parts: tuple[str, ...], target: str, *, stays: bool
) -> None:
    assert link_stays_inside(parts, target) is stays


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (".castray-7f3a.partial", True),
        (".castray-.partial", True),
        ("castray-7f3a.partial", False),
        (".castray-7f3a", False),
    ],
)
def test_a_partial_directory_is_known_by_its_name(name: str, *, expected: bool) -> None:
    assert is_partial_name(name) is expected


@pytest.mark.parametrize(
    ("parts", "expected"), [(("a*",), True), (("a", "b?"), True), (("[x]",), True), (("a",), False)]
)
def test_a_glob_is_known_by_its_characters(parts: tuple[str, ...], *, expected: bool) -> None:
    assert is_glob(parts) is expected
