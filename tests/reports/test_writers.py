"""The page, the PDF, the workbook and the JSON of one report."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import openpyxl
import pypdf
import pytest

from revoir.book import Book
from revoir.reports import palette
from revoir.reports.html import to_html
from revoir.reports.model import Report
from revoir.reports.pdf import write_pdf
from revoir.reports.plain import to_json, to_plain
from revoir.reports.xlsx import write_xlsx


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return to_html(report)


def test_the_page_needs_nothing_from_elsewhere(page: str):
    assert "<script" not in page
    assert not re.search(r"\son\w+=", page)
    assert not re.search(r'(?:src|srcset)="', page)
    assert not re.search(r"url\((?!#)", page)
    assert "@import" not in page
    assert "<link" not in page
    assert ' style="' not in page
    assert len(page) < 1_500_000


def test_what_the_company_is_called_is_text(page: str):
    assert "<b>Chez" not in page
    assert "&lt;b&gt;Chez &#34;Élise&#34; &amp; fils&lt;/b&gt;" in page


def test_what_the_data_call_things_is_text(report: Report):
    hostile = '</text><script>alert(1)</script><img src=x onerror="alert(1)">&'
    breakdown = report.breakdowns[0]
    rows = (dataclasses.replace(breakdown.rows[0], group=hostile), *breakdown.rows[1:])
    changed = dataclasses.replace(breakdown, rows=rows, column=hostile)
    page = to_html(dataclasses.replace(report, breakdowns=(changed,)), "en")
    assert "<script" not in page
    assert "<img" not in page


def test_every_drawing_has_a_name_and_unique_ids(page: str):
    drawings = re.findall(r"<svg[^>]*>", page)
    assert drawings
    for drawing in drawings:
        assert 'role="img"' in drawing
        assert re.search(r'aria-label="[^"]+"', drawing)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_every_link_inside_the_page_leads_somewhere(page: str):
    ids = set(re.findall(r'\sid="([^"]+)"', page))
    for target in re.findall(r'href="#([^"]+)"', page):
        assert target in ids


def test_every_chart_has_its_data(page: str):
    assert page.count("<figure") == page.count("<details>")


def test_drawings_follow_the_theme(page: str):
    for drawing in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        for colour in re.findall(r'(?:fill|stroke)="(#[^"]+)"', drawing):
            assert colour in palette.HATCHED, colour


def test_the_page_speaks_the_language_that_is_asked(report: Report):
    assert "Que faire lundi matin\xa0?" in to_html(report, "fr")
    english = to_html(report, "en")
    assert "What do I do on Monday morning?" in english
    assert '<html lang="en">' in english


def test_text_on_colours_can_be_read():
    for step, (fill, ink) in enumerate(zip(palette.HEAT, palette.HEAT_INK, strict=True)):
        assert palette.contrast(fill, ink) >= 4.5
        dark = palette.DARK
        assert palette.contrast(dark[f"heat-{step}"], dark[f"heat-ink-{step}"]) >= 4.5
    for colours in (palette.LIGHT, palette.DARK):
        for name in ("ink", "muted", "blue", "orange"):
            assert palette.contrast(colours[name], colours["surface"]) >= 4.5


def test_dark_colours_are_all_there():
    assert set(palette.DARK) == set(palette.LIGHT)


def test_json_is_plain_and_has_the_figures(report: Report):
    data = json.loads(to_json(report))
    assert data == to_plain(report)
    assert data["as_of"] == "2023-12-31"
    assert {"key", "metric", "value", "low", "high", "complete"} <= set(data["headline"][0])
    assert data["settings"]["currency"] == "EUR"
    kpi = dict(report.headline)["revenue"]
    assert next(row for row in data["headline"] if row["key"] == "revenue")["value"] == kpi.value


def test_the_workbook_holds_every_customer_and_no_formula(
    report: Report, shop: Book, tmp_path: Path
):
    path = tmp_path / "r.xlsx"
    write_xlsx(report, path, book=shop, language="en")
    book = openpyxl.load_workbook(path)
    assert report.rfm is not None
    sheet = book["Customers by segment"]
    assert sheet.max_row - 1 == sum(row.customers for row in report.rfm.segments)
    assert all(cell.data_type != "f" for sheet in book for row in sheet for cell in row)


def test_a_text_that_looks_like_a_formula_stays_a_text(report: Report, tmp_path: Path):
    breakdown = report.breakdowns[0]
    row = dataclasses.replace(breakdown.rows[0], group="=1+1")
    file = dataclasses.replace(report.quality, files=(), counts=(), decisions=())
    hostile = dataclasses.replace(
        report, breakdowns=(dataclasses.replace(breakdown, rows=(row,)),), quality=file
    )
    definition = dataclasses.replace(report.definitions[0], source='=cmd|"/c calc"!A1')
    hostile = dataclasses.replace(hostile, definitions=(definition,))
    path = tmp_path / "r.xlsx"
    write_xlsx(hostile, path, language="en")
    cell = openpyxl.load_workbook(path)["Definitions"]["C2"]
    assert cell.data_type == "s"
    assert cell.value == '=cmd|"/c calc"!A1'


def test_the_pdf_holds_the_words_and_the_drawings(report: Report, tmp_path: Path):
    path = tmp_path / "r.pdf"
    write_pdf(report, path, "fr")
    pages = pypdf.PdfReader(path).pages
    text = " ".join(page.extract_text() for page in pages).replace("\n", " ")
    assert "lundi matin" in text
    assert 'Chez "Élise" & fils' in text
    assert pages[0].mediabox.width == pytest.approx(595.3, abs=0.5)
    assert pages[0].mediabox.height == pytest.approx(841.9, abs=0.5)


def test_markup_in_a_name_is_not_executed_by_typst(report: Report, tmp_path: Path):
    named = dataclasses.replace(report, title='#panic("x") $ _a_ *b* #read("data.json")')
    path = tmp_path / "r.pdf"
    write_pdf(named, path, "en")
    assert '#panic("x")' in pypdf.PdfReader(path).pages[0].extract_text().replace("\n", " ")
