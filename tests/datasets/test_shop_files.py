"""The files of the shop: what was drawn, in the words and signs of the language, and no more."""

import csv
import datetime as dt
import math
from decimal import Decimal

import pytest

NAMES = {
    "fr": ("clients", "commandes", "abonnements", "avis", "contacts_sav", "visites"),
    "en": ("customers", "orders", "subscriptions", "reviews", "service", "visits"),
}
TABLES = ("customers", "orders", "subscriptions", "responses", "interactions", "events")


def cells(path, language):
    with path.open(encoding="utf-8-sig" if language == "fr" else "utf-8", newline="") as file:
        return list(csv.reader(file, delimiter=";" if language == "fr" else ","))


@pytest.fixture(scope="module", params=["fr", "en"])
def written(request, small_shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    paths = small_shop.write(folder, request.param)
    files = [cells(path, request.param) for path in paths]
    return request.param, dict(zip(TABLES, files, strict=True)), paths


def test_names_and_rectangles(written):
    language, files, paths = written
    assert [path.stem for path in paths] == list(NAMES[language])
    for rows in files.values():
        assert {len(row) for row in rows} == {len(rows[0])}
        assert len(set(rows[0])) == len(rows[0])


def test_rows_are_those_drawn_and_the_spoiled_ones(written, small_shop):
    _, files, _ = written
    drawn = {name: small_shop.tables[name].num_rows for name in TABLES}
    drawn["orders"] = small_shop.tables["order_lines"].num_rows
    drawn["responses"] //= 3
    for name, rows in files.items():
        spoiled, twice = small_shop.truth.blemishes[name]
        assert len(rows) - 1 == drawn[name] + spoiled + twice
        distinct = {tuple(row) for row in rows[1:]}
        assert len(distinct) == drawn[name] + spoiled


def amount_of(text, language):
    assert ("," in text) == (language == "fr")
    return Decimal(text.replace(",", "."))


def day_of(text, language):
    return dt.datetime.strptime(text[:10], "%d/%m/%Y" if language == "fr" else "%Y-%m-%d").date()


def test_amounts_and_days_come_back(written, small_shop):
    language, files, _ = written
    lines = small_shop.tables["order_lines"]
    good = {row[0]: row for row in files["orders"][1:] if row[0].startswith("L")}
    assert len(good) == lines.num_rows
    for line in lines.to_pylist()[::97]:
        row = good[line["line_id"]]
        assert amount_of(row[12], language) == line["amount"]
        assert amount_of(row[13], language) == line["margin"]
        assert int(row[9]) == line["quantity"]
        assert day_of(row[2], language) == line["ordered_on"]
        assert row[3] == (line["customer_id"] or "")


def readable(row, language):
    """Whether an order line's day, amount and quantity can be read."""
    try:
        day_of(row[2], language)
        return math.isfinite(float(amount_of(row[12], language))) and int(row[9]) != 0
    except (ValueError, ArithmeticError, AssertionError):
        return False


def test_spoiled_rows_cannot_be_read(written, small_shop):
    language, files, _ = written
    unreadable = [row for row in files["orders"][1:] if not readable(row, language)]
    assert len(unreadable) == small_shop.truth.blemishes["orders"][0]
    good_orders = {row[1] for row in files["orders"][1:] if readable(row, language)}
    assert not good_orders & {row[1] for row in unreadable}


def test_english_files_hold_no_french_words(written):
    language, files, _ = written
    if language == "fr":
        return
    french = {"oui", "non", "Payée", "Retour", "Annulée", "boutique", "téléphone", "Réclamation"}
    for rows in files.values():
        assert not french & {cell for row in rows for cell in row}


def test_same_bytes_for_the_same_shop(written, small_shop, tmp_path):
    language, _, paths = written
    for before, after in zip(paths, small_shop.write(tmp_path, language), strict=True):
        assert before.read_bytes() == after.read_bytes()


def test_unknown_language_is_refused(small_shop, tmp_path):
    with pytest.raises(ValueError, match="no language"):
        small_shop.write(tmp_path, "de")
