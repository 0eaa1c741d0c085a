"""The Chinese for what is told of casts and clusters in English, where there is one."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from castray.chinese_texts import PARTS, SUBJECTS, SYSTEM_TEXTS, TALK_TEXTS, TEXTS, WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

__all__ = ["in_chinese"]

MAX_CHARACTERS = 4000
"""Longer ones are whole outputs, which nobody translates."""

MAX_SPLITS = 64
"""So many words of a text are looked at for where its subject ends."""

MAX_DEPTH = 8
"""So many texts may stand in each other."""

MAX_REMEMBERED = 1024
"""The same few texts are asked for again with every step of a cast."""

FIELD = re.compile(r"\{(\w+)\}")

NESTED = {"problem", "kind", "state", "action"}
"""The values that may be texts themselves."""


@lru_cache(MAX_REMEMBERED)
def in_chinese(text: str) -> str | None:
    """The Chinese for an English text of CastRay's own.

    Args:
        text: One of the texts of `castray.chinese_texts`, its values filled in; alone, or after
            what it is about, as errors are told: `SUBJECT: PROBLEM` or `ADDRESS PROBLEM`.

    Returns:
        None where it is none of those.
    """
    if len(text) > MAX_CHARACTERS:
        return None
    bare = text.removesuffix(".")
    found = _translated(bare, MAX_DEPTH)
    return found if found is None or bare == text else f"{found}。"


class _Template:
    """A text with fields in it, in both languages."""

    def __init__(self, english: str, chinese: str) -> None:
        # Text and names of fields take turns.
        pieces = FIELD.split(english)
        self._first, *self._between = pieces[::2]
        self._last = self._between.pop() if self._between else ""
        self._names = pieces[1::2]
        self._chinese = chinese
        self.fixed = sum(map(len, pieces[::2]))
        """How many characters of a text are the template's: the more, the surer it is."""

    def fill(self, text: str, depth: int) -> str | None:
        """The Chinese for a text that was made from this template, else None."""
        values = self._parse(text)
        if values is None:
            return None
        return self._chinese.format_map(
            {name: _value(name, value, depth) for name, value in values.items()}
        )

    def _parse(self, text: str) -> dict[str, str] | None:
        """Each field's value, as short as it can be; without a way back, so in linear time."""
        start, end = len(self._first), len(text) - len(self._last)
        if not (text.startswith(self._first) and text.endswith(self._last)):
            return None
        values = []
        for piece in self._between:
            stop = text.find(piece, start + 1, end)
            if stop < 0:
                return None
            values.append(text[start:stop])
            start = stop + len(piece)
        if start >= end:
            return None
        return dict(zip(self._names, [*values, text[start:end]], strict=True))


class _Catalogue:
    """Texts, to be found fast: as they are, by their first word, or those that begin anyhow."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._whole: dict[str, str] = {}
        self._by_word: defaultdict[str, list[_Template]] = defaultdict(list)
        self._open: list[_Template] = []
        for english, chinese in texts.items():
            word, space, _ = english.partition(" ")
            if not FIELD.search(english):
                self._whole[english] = chinese
            elif space and "{" not in word:
                self._by_word[word].append(_Template(english, chinese))
            else:
                self._open.append(_Template(english, chinese))
        for templates in (*self._by_word.values(), self._open):
            templates.sort(key=lambda template: -template.fixed)

    def find(self, text: str, depth: int) -> str | None:
        """The Chinese for a text whose beginning is known, else None."""
        known = self._whole.get(text)
        if known is not None:
            return known
        return _first_filled(self._by_word.get(text.partition(" ")[0], ()), text, depth)

    def find_open(self, text: str, depth: int) -> str | None:
        """The Chinese for a text that begins with a value, else None."""
        return _first_filled(self._open, text, depth)


def _first_filled(templates: Iterable[_Template], text: str, depth: int) -> str | None:
    return next(filter(None, (template.fill(text, depth) for template in templates)), None)


TOLD = _Catalogue(TEXTS)
TALK = _Catalogue(TALK_TEXTS)
SYSTEM = _Catalogue(SYSTEM_TEXTS)
ABOUT = _Catalogue(SUBJECTS)


def _translated(text: str, depth: int) -> str | None:
    """The Chinese for a text without a full stop at its end, else None."""
    if depth == 0:
        return None
    return (
        TOLD.find(text, depth)
        or TALK.find(text, depth)
        or TOLD.find_open(text, depth)
        or next(_after_subjects(text, depth), None)
    )


def _after_subjects(text: str, depth: int) -> Iterator[str]:
    """Every Chinese for a text that begins with what it is about, the shortest subject first."""
    for space in islice(re.finditer(" ", text), MAX_SPLITS):
        subject, problem = text[: space.start()].removesuffix(":"), text[space.end() :]
        found = TOLD.find(problem, depth)
        if found:
            yield f"{_subject(subject, depth)}：{found}"
        # The same word before any other text is the name of a file.
        above, _, part = subject.rpartition(": ")
        found = TALK.find(problem, depth) if part in PARTS else None
        if found:
            yield "：".join(filter(None, (_subject(above, depth), PARTS[part], found)))


def _subject(text: str, depth: int) -> str:
    """What a text is about: hosts and what runs on them, one after the other."""
    return "：".join(ABOUT.find(piece, depth) or piece for piece in text.split(": "))


def _value(name: str, value: str, depth: int) -> str:
    """What stands in Chinese for a value: its own Chinese where it is a text, else itself."""
    if name not in NESTED:
        return value
    bare = value.removesuffix(".")
    return WORDS.get(value) or SYSTEM.find(bare, depth - 1) or _translated(bare, depth - 1) or value
