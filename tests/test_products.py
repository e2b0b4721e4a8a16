"""What a list of products says beside order lines, whatever the list is like."""

from __future__ import annotations

import datetime as dt

import pytest

from revoir.book import Book
from revoir.engines.connect import memory
from revoir.metrics.registry import measure

_OF_ORDERS = ("order_id", "customer_id", "ordered_on", "kind", "amount")


def book_of(lines: list[dict[str, object]], products: list[dict[str, object]]) -> Book:
    import pyarrow as pa

    backend = memory(threads=1)
    orders = [{k: v for k, v in row.items() if k in _OF_ORDERS} for row in lines]
    tables = {"orders": orders, "order_lines": lines, "products": products}
    return Book(
        {
            name: backend.create_table(name, pa.Table.from_pylist(held))
            for name, held in tables.items()
        }
    )


def line(number: int, product: object, **more: object) -> dict[str, object]:
    return {
        "order_id": f"o{number}", "customer_id": f"c{number % 4}", "product_id": product,
        "ordered_on": dt.date(2024, 1, 1) + dt.timedelta(days=number), "kind": "purchase",
        "amount": 10.0, **more,
    }  # fmt: skip


def test_a_product_that_is_listed_twice_counts_no_line_twice() -> None:
    book = book_of(
        [line(n, "S1") for n in range(8)],
        [{"product_id": "S1", "category": "a"}, {"product_id": "S1", "category": "b"}],
    )
    rows = book.table("order_lines").to_pyarrow().to_pylist()
    assert len(rows) == 8
    assert {row["category"] for row in rows} == {"b"}


@pytest.mark.parametrize("other", [str, int])
def test_codes_that_are_numbers_here_and_text_there(other: type) -> None:
    book = book_of([line(1, 7)], [{"product_id": other(7), "category": "tea"}])
    [row] = book.table("order_lines").to_pyarrow().to_pylist()
    assert (row["product_id"], row["category"]) == (7, "tea")


def test_prices_and_stock_of_today_are_no_part_of_a_sale() -> None:
    listed = {"product_id": "S1", "category": "tea", "stock": 4.0, "price": 9.5, "unit_price": 9.5}
    book = book_of([line(1, "S1")], [listed])
    assert not {"stock", "price", "unit_price"} & set(book.table("order_lines").columns)


def test_what_else_a_list_says_does_not_pass_for_the_sale() -> None:
    """The currency of a list price stood on lines that were paid in another one."""
    listed = {"product_id": "S1", "brand": "Acme", "currency": "USD", "status": "draft",
              "country": "Chine", "gender": "femme"}  # fmt: skip
    columns = set(book_of([line(1, "S1")], [listed]).table("order_lines").columns)
    assert "brand" in columns
    assert not {"currency", "status", "country", "gender"} & columns


def test_other_settings_do_not_join_it_twice() -> None:
    book = book_of([line(1, "S1")], [{"product_id": "S1", "category": "tea", "brand": "Acme"}])
    other = book.with_settings(timezone="Asia/Tokyo").at(dt.date(2024, 2, 1)).entire
    assert other.table("order_lines").columns == book.table("order_lines").columns
    assert len(book.rows(other.table("order_lines"))) == 1


def test_figures_by_category_are_those_of_lines_that_say_it_themselves() -> None:
    kinds = {"S1": "tea", "S2": "cups", "S3": "tea"}
    sold = [line(n, f"S{n % 3 + 1}") for n in range(60)]
    joined = book_of(sold, [{"product_id": key, "category": name} for key, name in kinds.items()])
    said = book_of(
        [{**row, "category": kinds[str(row["product_id"])]} for row in sold],
        [{"product_id": "S1", "stock": 1.0}],
    )
    for metric in ("revenue", "customers"):
        mine, theirs = (measure(book, metric, by=["category"]) for book in (joined, said))
        assert mine.records() == theirs.records()
        assert {row["category"] for row in mine.records()} == {"tea", "cups"}
