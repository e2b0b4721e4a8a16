"""Specifications into SVG, offline: for a page that may be dark, or for paper."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import vl_convert

from revoir.reports import palette

_FORMATS: dict[str, Any] = {"fr": "fr-FR", "en": "en-GB"}
_NOISE = re.compile(
    r' (?:aria-[a-z]+|role|aria-roledescription)="[^"]*"| pointer-events="none"'
    r'| stroke-miterlimit="10"| opacity="1"| class="[^"]*"| fill-opacity="1"'
)
_EMPTY = re.compile(r'<path d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>|<g></g>')
_SIZE = re.compile(r' (?:width|height)="([\d.]+)"')
_NUMBER = re.compile(r"\d+\.\d{3,}")


def svg(spec: dict[str, Any], language: str, name: str, title: str, *, paper: bool = False) -> str:
    """Draw a chart.

    Args:
        spec: A Vega-Lite specification.
        language: Whose figures and dates it writes.
        name: Unique in the document; the drawing's own names begin with it.
        title: What a screen reader says.
        paper: Draw in fixed light colours rather than in the page's.

    Returns:
        An ``<svg>`` element.
    """
    drawn: str = vl_convert.vegalite_to_svg(
        spec,
        format_locale=_FORMATS[language],
        time_format_locale=_FORMATS[language],
        allowed_base_urls=[],
    )
    drawn = _NUMBER.sub(lambda found: f"{float(found[0]):.2f}", drawn)
    drawn = drawn.replace('font-family="Liberation Sans" ', "")
    drawn = re.sub(r'(id="|url\(#)', rf"\1{name}-", drawn)
    drawn = _NOISE.sub("", drawn)
    while _EMPTY.search(drawn):
        drawn = _EMPTY.sub("", drawn)
    drawn = _with_hatches(drawn, name)
    if not paper:
        drawn = palette.themed(drawn)
    head, _, body = drawn.partition(">")
    width, height = _SIZE.findall(head)[:2]
    font = ' font-family="Liberation Sans, DejaVu Sans, sans-serif"' if paper else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}"'
        f"{font}>{body}"
    )


def _with_hatches(drawn: str, name: str) -> str:
    patterns = []
    for colour, kind in palette.HATCHED.items():
        if f'"{colour}"' in drawn:
            key = f"{name}-hatch-{kind}"
            drawn = drawn.replace(f'"{colour}"', f'"url(#{key})"')
            patterns.append(
                f'<pattern id="{key}" width="6" height="6" patternUnits="userSpaceOnUse"'
                f' patternTransform="rotate(45)"><rect width="6" height="6"'
                f' fill="{palette.SURFACE}"/><rect width="3" height="6"'
                f' fill="{palette.HATCH_OF[kind]}"/></pattern>'
            )
    if not patterns:
        return drawn
    head, _, body = drawn.partition(">")
    return f"{head}><defs>{''.join(patterns)}</defs>{body}"
