"""Features of order lines: what is in the basket, and how wide a range the customer buys."""

from __future__ import annotations

import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Money, msg, nmsg
from revoir.metrics.registry import Unit
from revoir.models.features.declaration import (
    KEYS,
    Family,
    Feature,
    Moments,
    plain,
    share,
    sum_named,
)


def _line_sums(book: Book, moments: Moments) -> ir.Table:
    rows = moments.known(book.table("order_lines"), "ordered_on")
    rows = rows.filter(rows.customer_id.notnull() & (rows.kind == "purchase"))
    sums: dict[str, ir.Value] = {"lines": rows.count(), "orders": rows.order_id.nunique()}
    for column, name in (("product_id", "products"), ("category", "categories")):
        if column in rows.columns:
            sums[name] = rows[column].nunique()
    if "quantity" in rows.columns:
        sums["articles"] = rows.quantity.sum()
        sums["amount"] = rows.amount.sum()
    return rows.group_by(KEYS).aggregate(**sums)


LINES = Family(
    "order_lines",
    ("customer_id", "ordered_on", "kind"),
    _line_sums,
    (
        Feature(
            "lines_per_order",
            msg("Lines per order"),
            Unit.RATIO,
            "range",
            "order_lines",
            lambda table, moments: share(table.lines, table.orders),
            msg("full baskets"),
            msg("small baskets"),
            lambda known: (
                None
                if known["lines_per_order"] is None
                else msg(
                    "different articles an order: {n} on average",
                    n=plain(known["lines_per_order"]),
                )
            ),
        ),
        Feature(
            "articles_per_order",
            msg("Articles per order"),
            Unit.RATIO,
            "range",
            "order_lines",
            lambda table, moments: share(table.articles, table.orders),
            msg("many articles an order"),
            msg("few articles an order"),
            lambda known: (
                None
                if known["articles_per_order"] is None
                else msg(
                    "articles an order: {n} on average",
                    n=plain(known["articles_per_order"]),
                )
            ),
            needs=("quantity",),
        ),
        Feature(
            "article_price",
            msg("Mean price of an article"),
            Unit.MONEY,
            "range",
            "order_lines",
            lambda table, moments: share(table.amount, table.articles),
            msg("dear articles"),
            msg("cheap articles"),
            lambda known: (
                None
                if known["article_price"] is None
                else msg(
                    "articles at {amount} on average",
                    amount=Money(known["article_price"], known.currency),
                )
            ),
            needs=("quantity",),
        ),
        Feature(
            "products",
            msg("Different products bought"),
            Unit.COUNT,
            "range",
            "order_lines",
            sum_named("products"),
            msg("a wide range of products"),
            msg("a narrow range of products"),
            lambda known: nmsg(
                "{n} product bought so far",
                "{n} different products bought so far",
                known.count("products"),
            ),
            needs=("product_id",),
        ),
        Feature(
            "categories",
            msg("Different categories bought"),
            Unit.COUNT,
            "range",
            "order_lines",
            sum_named("categories"),
            msg("several categories"),
            msg("one category"),
            lambda known: nmsg(
                "{n} category bought so far",
                "{n} categories bought so far",
                known.count("categories"),
            ),
            needs=("category",),
        ),
    ),
)
