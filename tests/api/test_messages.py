from __future__ import annotations

import re

import pytest

from castray.api.messages import SENTENCES, TITLES, preferred_language, sentence


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("ZH-Hans", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.5, zh;q=0.9", "zh"),
        ("fr, zh;q=0.1", "zh"),
        ("zh;q=0", "en"),
        ("*", "en"),
        ("", "en"),
        (";;q=zh,,", "en"),
    ],
)
def test_chinese_is_for_whoever_prefers_it(accepted: str, expected: str) -> None:
    assert preferred_language({"accept-language": accepted}) == expected


def test_without_a_preference_the_language_is_english() -> None:
    assert preferred_language({}) == "en"


@pytest.mark.parametrize("name", SENTENCES)
def test_both_languages_say_the_same_values(name: str) -> None:
    english, chinese = SENTENCES[name]["en"], SENTENCES[name]["zh"]

    assert set(re.findall(r"(?<!{){\w+}", english)) == set(re.findall(r"(?<!{){\w+}", chinese))


@pytest.mark.parametrize("code", TITLES)
def test_every_title_is_there_in_chinese(code: str) -> None:
    assert re.search(r"[\u4e00-\u9fff]", TITLES[code]["zh"])


def test_a_kind_of_thing_is_named_in_the_language_of_the_sentence() -> None:
    assert "没有名为 M9 的节点" in sentence("no-such-thing", "zh", kind="node", name="M9")
