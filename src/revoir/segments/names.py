"""The eleven RFM segments: their names, what to do for each, and their place in the grid."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from revoir.errors import UsageError
from revoir.language import LANGUAGES, Message, msg
from revoir.tables import plain_name


@dataclass(frozen=True)
class Segment:
    """A named part of the customers.

    Attributes:
        key: Its name in every interface, the same in every language.
        label: What people call it.
        advice: What to do for these customers.
        lower_risk: Whether its customers are less likely to leave than the others.
        r: First and last line in the grid of five scores (5: bought lately).
        fm: First and last column, the mean of the scores for frequency and monetary value.
    """

    key: str
    label: Message
    advice: Message
    lower_risk: bool
    r: tuple[int, int]
    fm: tuple[int, int]


_ALL = (
    Segment(
        "champions",
        msg("Champions"),
        msg("Thank them, show them what is new first, and ask them to recommend you."),
        True,
        (5, 5),
        (4, 5),
    ),
    Segment(
        "loyal",
        msg("Loyal"),
        msg("Offer them a dearer or complementary product, and ask for a review."),
        True,
        (3, 4),
        (4, 5),
    ),
    Segment(
        "potential_loyalist",
        msg("Potential loyalists"),
        msg("Invite them into the loyalty programme and suggest what goes with their purchases."),
        True,
        (4, 5),
        (2, 3),
    ),
    Segment(
        "new_customers",
        msg("New customers"),
        msg("Welcome them, help them with their purchase, and propose a second one soon."),
        True,
        (5, 5),
        (1, 1),
    ),
    Segment(
        "promising",
        msg("Promising"),
        msg("Remind them of you with a useful tip or a trial before they forget you."),
        True,
        (4, 4),
        (1, 1),
    ),
    Segment(
        "need_attention",
        msg("Need attention"),
        msg("Make them an offer for a limited time, chosen from what they bought."),
        False,
        (3, 3),
        (3, 3),
    ),
    Segment(
        "about_to_sleep",
        msg("About to sleep"),
        msg("Write to them with popular products and a small discount to come back."),
        False,
        (3, 3),
        (1, 2),
    ),
    Segment(
        "at_risk",
        msg("At risk"),
        msg("Write to each by name, ask what went wrong, and give a reason to come back."),
        False,
        (1, 2),
        (3, 4),
    ),
    Segment(
        "cannot_lose_them",
        msg("Cannot lose them"),
        msg("Call them: they bought often and for much, and have stopped."),
        False,
        (1, 2),
        (5, 5),
    ),
    Segment(
        "hibernating",
        msg("Hibernating"),
        msg("Include them in two or three mailings a year, and spend no more on them."),
        False,
        (2, 2),
        (1, 2),
    ),
    Segment(
        "lost",
        msg("Lost"),
        msg("Make one last offer to win them back, then stop writing to them."),
        False,
        (1, 1),
        (1, 2),
    ),
)

SEGMENTS: dict[str, Segment] = {segment.key: segment for segment in _ALL}
"""The segments by key, best first.

The grid of scores is the one that RFM tools have shared since Putler's chart: days since the
last purchase against the mean of frequency and monetary scores, every cell in one segment.
"""


@dataclass(frozen=True)
class Range:
    """Where a segment lies among the scores 1 to `bins`.

    Attributes:
        segment: Its key.
        r_low: Least score for days since last purchase.
        r_high: Greatest one.
        both_low: Least sum of the scores for frequency and monetary value.
        both_high: Greatest one.
    """

    segment: str
    r_low: int
    r_high: int
    both_low: int
    both_high: int


def segment_ranges(bins: int) -> list[Range]:
    """Where each segment lies when there are `bins` scores rather than five.

    A score is brought to the grid by the middle of its share of the customers; the mean of two
    scores is rounded half up.

    Args:
        bins: How many scores there are, 2 to 10.

    Returns:
        The segments that can occur.

    Examples:
        >>> segment_ranges(5)[0]
        Range(segment='champions', r_low=5, r_high=5, both_low=7, both_high=10)
    """
    ranges = []
    for segment in _ALL:
        r = [s for s in range(1, bins + 1) if segment.r[0] <= _place(2 * s, bins) <= segment.r[1]]
        both = [
            s for s in range(2, 2 * bins + 1) if segment.fm[0] <= _place(s, bins) <= segment.fm[1]
        ]
        if r and both:
            ranges.append(Range(segment.key, r[0], r[-1], both[0], both[-1]))
    return ranges


def _place(double: int, bins: int) -> int:
    """The place from 1 to 5 of a score that is given doubled, so that halves are whole."""
    return 1 + 5 * (double - 1) // (2 * bins)


def segment_named(text: str) -> Segment:
    """The segment of that key or label, in any language, case and accents ignored.

    Raises:
        UsageError: None has that name.

    Examples:
        >>> segment_named("At risk").key
        'at_risk'
    """
    names: dict[str, Segment] = {}
    for segment in _ALL:
        labels = [plain_name(segment.label.text(language)) for language in LANGUAGES]
        for name in (segment.key, *labels):
            names.setdefault(name, segment)
    wanted = plain_name(text)
    if wanted in names:
        return names[wanted]
    near = difflib.get_close_matches(wanted, names, n=1)
    raise UsageError(
        msg("There is no segment “{name}”.", name=text),
        remedy=msg("Did you mean “{near}”?", near=names[near[0]].key)
        if near
        else msg("Segments are: {names}.", names=list(SEGMENTS)),
    )


UNKNOWN = "—"
"""The group of those of whom a column says nothing."""


def value_named(value: object) -> Any:
    """What people call a value that figures are broken down by.

    Examples:
        >>> value_named("at_risk").text("en"), value_named("Tours"), value_named(None)
        ('At risk', 'Tours', '—')
    """
    if isinstance(value, str) and value in SEGMENTS:
        return SEGMENTS[value].label
    return UNKNOWN if value is None else value
