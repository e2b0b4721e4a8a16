"""The colours of charts: light for paper, custom properties for pages that may be dark.

Charts are drawn in the light colours, each of them unique, so that a drawing can be turned
into one that follows the page's theme by replacing colours with names.
"""

from __future__ import annotations

INK = "#1b2129"
MUTED = "#57606b"
GRID = "#dfe3e8"
SURFACE = "#fefefe"
BLUE = "#0b5cac"
BLUE_MIDDLE = "#5592d0"
BLUE_SOFT = "#c3dbf2"
ORANGE = "#b5490b"
ORANGE_SOFT = "#f6cfae"

HEAT = ("#f1f6fc", "#d5e5f6", "#b1cfed", "#85b3e1", "#3576ba", "#0f58a0", "#093c73")
"""Seven steps from little to much."""

HEAT_INK = ("#1c2229", "#1d2329", "#1e2429", "#1f2529", "#fffffe", "#fffffd", "#fffffc")
"""The colour of text on each step: contrast of 4.5:1 or more (checked by the tests)."""

HATCHED = {"#0b5ca1": "blue", "#b54901": "orange", "#6ba2d1": "middle", "#c3dbf1": "soft"}
"""Stand-ins for hatched fills, which mark periods that are not complete."""

HATCH_BLUE, HATCH_ORANGE, HATCH_MIDDLE, HATCH_SOFT = HATCHED

_NAMES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    SURFACE: "surface",
    BLUE: "blue",
    BLUE_MIDDLE: "blue-middle",
    BLUE_SOFT: "blue-soft",
    ORANGE: "orange",
    ORANGE_SOFT: "orange-soft",
    **{colour: f"heat-{step}" for step, colour in enumerate(HEAT)},
    **{colour: f"heat-ink-{step}" for step, colour in enumerate(HEAT_INK)},
}
HATCH_OF = {"blue": BLUE, "orange": ORANGE, "middle": BLUE_MIDDLE, "soft": BLUE_SOFT}

DARK: dict[str, str] = {
    "ink": "#e9edf2",
    "muted": "#a4aeb9",
    "grid": "#333c46",
    "surface": "#14181d",
    "blue": "#6fb1f2",
    "blue-middle": "#3d7fc0",
    "blue-soft": "#234a70",
    "orange": "#f5a263",
    "orange-soft": "#6d3c17",
    "heat-0": "#1c2630",
    "heat-1": "#1d3650",
    "heat-2": "#1f4670",
    "heat-3": "#225a92",
    "heat-4": "#6aa5de",
    "heat-5": "#97c3ee",
    "heat-6": "#cbe2f9",
    "heat-ink-0": "#e9edf2",
    "heat-ink-1": "#eef2f6",
    "heat-ink-2": "#f2f5f8",
    "heat-ink-3": "#ffffff",
    "heat-ink-4": "#0d1116",
    "heat-ink-5": "#0d1116",
    "heat-ink-6": "#0d1116",
}
"""The same colours on a dark surface."""

LIGHT: dict[str, str] = {name: colour for colour, name in _NAMES.items()}
"""The colours by name."""


def themed(svg: str) -> str:
    """Replace the colours of a drawing by custom properties of the page."""
    for colour, name in _NAMES.items():
        svg = svg.replace(f'"{colour}"', f'"var(--c-{name})"')
    return svg


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2).

    Examples:
        >>> round(contrast("#000000", "#ffffff"), 1)
        21.0
    """
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
