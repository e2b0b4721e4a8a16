"""The columns of a survey that hold answers: by their name, their words or their scale."""

from __future__ import annotations

import re

from revoir.language import msg
from revoir.reading.answers import as_answers
from revoir.reading.headers import tokens_of
from revoir.reading.mapping import ColumnMapping
from revoir.reading.profile import Profile
from revoir.reading.raw import RawTable
from revoir.tables import QUESTIONS, plain_name

_WORDS_MIN = 4
_RECOMMEND = "recomm[ae]nd"
_SPOKEN = {
    "enps": (f"{_RECOMMEND}.*(employ[ei]|travail|work)|(employeur|travail).*{_RECOMMEND}", 5, 10),
    "nps": (_RECOMMEND, 5, 10),
    "ces": ("effort|facile|easy", 0, 7),
    "csat": ("satisf", 0, 5),
}  # fmt: skip
"""Words of a question, and between what the highest answer to it lies: elsewhere it is its own."""


def add_questions(
    raw: RawTable, profiles: dict[str, Profile], taken: dict[str, ColumnMapping]
) -> None:
    """Find the columns that hold answers: known questions by name, others by their scale.

    Args:
        raw: The table.
        profiles: What its columns look like.
        taken: What each column was taken for by its header; changed in place.
    """
    dated = any(mapping.target == "responses.responded_on" for mapping in taken.values())
    for column, header in zip(raw.columns, raw.headers, strict=True):
        held = taken.get(column)
        if held is not None and (held.confidence >= 1.0 or held.name not in ("score", "name")):
            continue
        profile = profiles[column]
        answers = as_answers(profile)
        scale = (
            profile.numbers >= 0.9 and profile.integers >= 0.9
            and profile.low >= 0 and profile.high <= 10 and profile.distinct >= 3
        )  # fmt: skip
        name = plain_name(header)
        question = next((q for q, names in QUESTIONS.items() if name == q or name in names), None)
        if question is None and held is None:
            question = _named_question(name) or _spoken_question(name, answers, taken)
        if not scale and (question is None or answers.numbers < 0.3):
            continue
        # Out of ten it is a question of its own; beyond that, a date says that somebody answered.
        if question == "csat" and answers.high > 5 and (answers.high <= 10 or not dated):
            question = None
        if question is None and held is not None:
            continue
        if question is None and not _asks(name, profile):
            continue
        taken[column] = ColumnMapping(
            column, header, f"responses.question:{question or name}", question or name,
            0.95 if question else 0.7,
            msg("its header is a usual name for it") if question
            else msg("its values are answers on a scale"),
        )  # fmt: skip
    if not any(mapping.name == "comment" for mapping in taken.values()):
        texts = [
            (profiles[column].length, column, header)
            for column, header in zip(raw.columns, raw.headers, strict=True)
            if column not in taken and profiles[column].length > 25
            and profiles[column].unique > 0.5 and profiles[column].numbers < 0.2
        ]  # fmt: skip
        if texts:
            _, column, header = max(texts)
            taken[column] = ColumnMapping(
                column, header, "responses.comment", "comment", 0.7,
                msg("its values are sentences"),
            )  # fmt: skip


def _named_question(name: str) -> str | None:
    tokens = tokens_of(name)
    return next((q for q in ("enps", "nps", "csat", "ces") if q in tokens), None)


def _spoken_question(name: str, profile: Profile, taken: dict[str, ColumnMapping]) -> str | None:
    """Which question a sentence asks, as forms have their headers; each one once."""
    if len(tokens_of(name)) < _WORDS_MIN:
        return None
    for question, (words, low, high) in _SPOKEN.items():
        if re.search(words, name) and low < profile.high <= high:
            target = f"responses.question:{question}"
            held = any(mapping.target == target for mapping in taken.values())
            return None if held else question
    return None


def _asks(name: str, profile: Profile) -> bool:
    """Whether a column of small whole numbers is an answer rather than a count or a flag."""
    if re.search(r"(^|_)(nb|nombre|count|number|id|mois|month|year|annee|age|t|n)(_|$)", name):
        return False
    return profile.distinct >= 4 and profile.high >= 4
