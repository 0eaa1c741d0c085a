"""Chinese for what goes wrong: everything has it, and nothing is lost on the way."""

from __future__ import annotations

import os
import re

import pytest

from castray.cast_models import CastAction, CastProblem, CastState, CastTarget
from castray.chinese import in_chinese
from castray.chinese_texts import (
    PARTS,
    SUBJECTS,
    SYSTEM_TEXTS,
    TALK_TEXTS,
    TEXTS,
    WORDS,
)
from castray.core.dispatching import ASKED
from castray.errors import AmbiguousNameError, NotFoundError
from castray.transfer.beneath import KINDS, kind_of
from tests.raised_texts import Raised, find_raised

FOUND = list(find_raised())
RAISED = [found for found in FOUND if isinstance(found, Raised)]
RAISED.append(Raised("4 casts at once are the most on M1 and M2", None, "core/casting.py"))
RAISED += [
    Raised(str(error), None, "errors.py")
    for error in (NotFoundError("node", "x"), AmbiguousNameError("node", "x", ["a", "b"]))
]

PASSED_ON = {
    "problem", "error", "reason", "why", "fault", "name",  # arguments, or from PARTS of this file
    "str(error)", "error.problem", "s.problem", "event.error", "event.waits_for", "look.error",
    "explain(error)",
    "PROBLEMS[errno.EEXIST]", "PROBLEMS[errno.EISDIR]",
    "PROBLEMS[errno.EEXIST] if self.if_exists is IfExists.FAIL else None",
    "None if summary else str(best.answer)",
    "node.monitor.error.detail if node.monitor.error else None",
    "tuple((note for look in looks for note in look.notes))",
    "'; '.join(problems)",  # pydantic's own words, of which there is no end
}  # fmt: skip
"""How the sources pass on a text that was made elsewhere."""

FIELD = re.compile(r"\{(\w+)\}")

TEMPLATES = [*TEXTS.items(), *TALK_TEXTS.items()]

HTTP_CLIENT_TEXTS = {"timed out", "Server disconnected", "no port was given to listen on"}


def filled(template: str) -> tuple[str, dict[str, str]]:
    values = {name: f"v{number}" for number, name in enumerate(FIELD.findall(template))}
    return template.format_map(values), values


def as_pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.+)".join(map(re.escape, FIELD.split(template)[::2])), re.DOTALL)


@pytest.mark.parametrize("raised", RAISED, ids=lambda raised: f"{raised.place} {raised.text}")
def test_everything_that_is_raised_has_chinese(raised: Raised) -> None:
    alone = in_chinese(raised.text)
    told = in_chinese(f"{raised.subject or 'M1'}: {raised.text}")

    assert alone is not None
    if raised.text[0].islower():
        assert told is not None
        assert alone in told


def test_what_is_passed_on_was_made_where_it_is_looked_for() -> None:
    passed = {found.partition(" ")[2] for found in FOUND if isinstance(found, str)}

    assert passed <= PASSED_ON
    assert PASSED_ON - passed <= {"name", "fault"}


def test_every_text_is_raised_somewhere() -> None:
    raised = [found.text.removesuffix(".") for found in RAISED]

    unused = [
        template
        for template, _ in TEMPLATES
        if not any(map(as_pattern(template).fullmatch, raised))
    ]

    assert unused == []
    assert {found.subject for found in RAISED if found.subject in PARTS} == PARTS.keys()


@pytest.mark.parametrize(("english", "chinese"), TEMPLATES)
def test_all_values_of_a_text_are_in_its_chinese(english: str, chinese: str) -> None:
    text, values = filled(english)

    told = in_chinese(text)

    assert sorted(FIELD.findall(chinese)) == sorted(values)
    assert told == chinese.format_map(values)


def test_no_text_ends_like_a_sentence_and_both_sides_have_the_same_fields() -> None:
    tables = {**TEXTS, **TALK_TEXTS, **SYSTEM_TEXTS, **SUBJECTS, **PARTS, **WORDS}

    for english, chinese in tables.items():
        assert sorted(FIELD.findall(english)) == sorted(FIELD.findall(chinese)), english
        assert not english.endswith(".")
        assert not chinese.endswith(("。", "."))


def test_every_word_that_stands_as_a_value_has_chinese() -> None:
    kinds = {*KINDS.values(), kind_of(0)}
    states, actions = {s.value for s in CastState}, {a.value for a in CastAction}
    problems = {problem for _, _, problem in ASKED.values()}

    words = kinds | states | actions | problems | {"node", "cluster", "connected cluster", "cast"}

    assert words == WORDS.keys()


def test_the_system_speaks_as_we_expect_it_to() -> None:
    said = {os.strerror(number) for number in range(1, 200)}

    ours = {text for text in SYSTEM_TEXTS if not FIELD.search(text)}

    assert ours - said == HTTP_CLIENT_TEXTS


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "3 of its files failed; the first: in/a b.bin cannot be read: Permission denied",
            "有 3 个文件失败；第一个：in/a b.bin：无法读取：权限不足",
        ),
        (
            "it is tried again: M2 cannot connect to M1: cannot be reached at ('10.0.0.1', 28900): "
            "[Errno 111] Connection refused",
            "正在重试：M2 无法连接到 M1：在 ('10.0.0.1', 28900) 无法连接：连接被拒绝（errno 111）",
        ),
        (
            "the agent on M1: did not start within 60 s, for 10 minutes; retry when that has "
            "changed",
            "M1 上的代理：在 60 秒内没有启动，已持续 10 分钟；情况改变后请重试",
        ),
        (
            "the outpost on lab: http://10.0.0.5:8265 wants a token; connect with the cluster's "
            "own.",
            "lab 上的前哨：http://10.0.0.5:8265：需要令牌；请用该集群自己的令牌连接。",
        ),
        ("M1: manifest: has 3 pages, none 7", "M1：清单：共有 3 页，没有第 7 页"),
        ("a/x: needs a directory where there is a FIFO", "a/x：需要目录，但该处是命名管道"),
        (
            "Cast c1 is completed: it has no target that failed or was cancelled, so there is "
            "nothing to retry.",
            "传输任务 c1 的状态是“已完成”：它没有失败或已取消的目标，因此无法重试。",
        ),
    ],
)
def test_texts_in_texts_are_in_chinese_too(english: str, chinese: str) -> None:
    told = in_chinese(english)

    assert told == chinese


def test_a_file_that_is_called_like_a_part_keeps_its_name() -> None:
    text = "source: vanished while it was cast"

    told = in_chinese(text)

    assert told == "source：在传输过程中消失"


def test_a_value_is_kept_as_it_is_whatever_is_in_it() -> None:
    text = "cannot be written: {x} %s \\1 {0}"

    told = in_chinese(text)

    assert told == "无法写入：{x} %s \\1 {0}"


@pytest.mark.parametrize(
    "text",
    ["", " ", ".", ": ", "the moon is full", "M1: ", "cannot be read: ", "x" * 5000, "已停止"],
)
def test_what_nobody_wrote_has_no_chinese(text: str) -> None:
    told = in_chinese(text)

    assert told is None


def test_a_record_is_written_with_its_chinese_and_read_back_without_it() -> None:
    problem = CastProblem(path="a", problem="vanished while it was cast")
    target = CastTarget(
        node="lab/m2", path="x", waits_for="M2 is dead", error="odd", problems=(problem,)
    )

    written = target.model_dump_json()

    assert '"waits_for_zh":"M2 已停止","error_zh":null' in written
    assert '"problem_zh":"在传输过程中消失"' in written
    assert CastTarget.model_validate_json(written) == target
    assert CastTarget.model_validate(target.model_dump()) == target


def test_a_record_of_an_older_castray_is_read_and_told_in_chinese() -> None:
    older = '{"node": "lab/m2", "path": "x", "error": "M2 is dead"}'

    target = CastTarget.model_validate_json(older)

    assert target.error_zh == "M2 已停止"
    assert target.model_copy(update={"error": None}).error_zh is None
