"""What each customer is likely to buy next, and why it is recommended.

The products come from `revoir.models.assortment`, the scores from `revoir.models.recommender`, by
the method that did best on the shop's own past (`revoir.models.recommend_record`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from revoir.book import Book
from revoir.errors import UsageError
from revoir.language import Message, msg, nmsg
from revoir.models.assortment import Assortment, Codes, Flags, assortment
from revoir.models.product_names import excluded, never
from revoir.models.purchase_days import number_of
from revoir.models.recommend_record import Record, recent, try_methods
from revoir.models.recommender import (
    BUYERS_MIN,
    PRODUCTS_MAX,
    Method,
    Ranked,
    Recommender,
    Shelf,
    baskets_of,
    shelf,
)

if TYPE_CHECKING:
    import pyarrow as pa

SERVICES_SHOWN = 5


@dataclass(frozen=True)
class Recommendations:
    """Products recommended to customers.

    Attributes:
        as_of: The day they are for.
        products: One row a customer and product, by customer, the best first: `customer_id`,
            `rank` (from 1), `product_id`, `product` (its name), `category`, `days_before` (on how
            many days the customer bought it), `because_1` and `because_2` (the products of the
            customer that speak most for it; null: none does).
        record: The method in use and how it did (None: there are no products).
        notes: What was left out and why, for the reader.
        reason: Why there is nothing to recommend (None: there is).
    """

    as_of: dt.date
    products: pa.Table
    record: Record | None
    notes: tuple[Message, ...] = ()
    reason: Message | None = None


def recommend(
    book: Book,
    *,
    as_of: dt.date | None = None,
    top: int = 5,
    exclude: Sequence[str] = (),
    customers: Sequence[str] | None = None,
    new_only: bool = False,
    method: Method | None = None,
) -> Recommendations:
    """Recommend products to customers who have bought before.

    Args:
        book: The company's tables.
        as_of: The day to look from; later purchases are not seen (None: the book's own).
        top: How many products each.
        exclude: Categories and products that are not wanted, beside those that the company's
            settings leave out.
        customers: Who is to be recommended something (None: everybody).
        new_only: Whether to leave out what a customer has bought before.
        method: How to score products (None: as did best on the shop's own past).

    Returns:
        The products, with the record of the method. `reason` says why there is none, where the
        data name no products.

    Raises:
        UsageError: A category, product or customer is not known, or `top` makes no sense.
    """
    as_of = as_of or book.as_of
    if top < 1:
        raise UsageError(
            nmsg("{n} product is no recommendation.", "{n} products are no recommendation.", top),
            remedy=msg("Give 1 or more."),
        )
    sold = assortment(book, as_of)
    if sold is None:
        nameless = msg("No purchase of a known customer names a product.")
        return Recommendations(as_of, _no_rows(), None, reason=nameless)
    chosen = _chosen(sold, customers)
    dropped, unknown = never(sold, book.settings.not_recommended)
    dropped |= excluded(sold, exclude)
    key = f"recommendations tried {as_of} {sorted(exclude)} {new_only}"
    record = book.once(key, lambda: try_methods(sold, dropped, new_only=new_only))
    today = number_of(as_of)
    pairs = sold.pairs(today)
    # What is in stock today says nothing of the days that the record looks back to.
    unwanted = dropped | sold.out_of_stock
    on_shelf = shelf(sold, pairs, today, recent(record.hidden_days), unwanted)
    baskets = baskets_of(pairs, on_shelf, len(sold.customers))
    method = method or record.method
    if new_only:
        method = replace(method, again=None)
    model = Recommender(method).fit(baskets, len(on_shelf.product))
    theirs = baskets if customers is None else baskets.take(chosen)
    rows = _rows(sold, on_shelf, chosen, model.rank(theirs, on_shelf, top))
    reason = None
    if not len(on_shelf.product):
        reason = nmsg("No product has {n} buyer.", "No product has {n} buyers.", BUYERS_MIN)
    elif not rows.num_rows:
        reason = msg("Of the products that are still sold, none is left to recommend.")
    return Recommendations(as_of, rows, record, _notes(sold, on_shelf, dropped, unknown), reason)


def _chosen(sold: Assortment, customers: Sequence[str] | None) -> npt.NDArray[np.intp]:
    """The numbers of customers, from their identifiers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if customers is None:
        return np.arange(len(sold.customers))
    asked = pa.array(customers, sold.customers.type)
    place = pc.index_in(asked, value_set=sold.customers)
    if place.null_count:
        unknown = asked.filter(place.is_null()).to_pylist()
        raise UsageError(
            msg("Nobody called {names} has bought a product.", names=unknown),
            remedy=msg("Write the customer as the data do."),
        )
    found: npt.NDArray[np.intp] = place.to_numpy().astype(np.intp)
    return found


def _notes(
    sold: Assortment, on_shelf: Shelf, dropped: Flags, unknown: Sequence[str]
) -> tuple[Message, ...]:
    """What was left out and why."""
    count = len(on_shelf.product)
    told = [
        nmsg(
            "{n} product of {total} has enough buyers to be recommended.",
            "{n} products of {total} have enough buyers to be recommended.",
            count,
            total=len(sold.products),
        )
    ]
    if count == PRODUCTS_MAX:
        told.append(msg("More products are sold: the {n} with most buyers count.", n=count))
    services = [sold.products[n].label for n in np.flatnonzero(sold.services)]
    if services:
        told.append(
            msg(
                "Not products, by their name or code, and left out: {names}.",
                names=services[:SERVICES_SHOWN] + (["…"] if len(services) > SERVICES_SHOWN else []),
            )
        )
    if on_shelf.ended:
        told.append(
            nmsg(
                "{n} of them has not sold for unusually long and is taken for no longer sold.",
                "{n} of them have not sold for unusually long and are taken for no longer sold.",
                on_shelf.ended,
            )
        )
    missing = int(sold.out_of_stock[on_shelf.product].sum())
    if missing:
        told.append(
            nmsg(
                "{n} of them is out of stock and left out.",
                "{n} of them are out of stock and left out.",
                missing,
            )
        )
    if dropped.any():
        told.append(
            nmsg(
                "{n} product is left out as you asked.",
                "{n} products are left out as you asked.",
                int(dropped.sum()),
            )
        )
    if unknown:
        told.append(
            msg(
                "Never to be recommended, but not in the data under this name: {names}.",
                names=list(unknown),
            )
        )
    once = count - int(on_shelf.bought_again.sum())
    if once:
        told.append(
            nmsg(
                "{n} of them is hardly ever bought again: it is recommended to nobody who bought it"
                " on one day alone.",
                "{n} of them are hardly ever bought again: they are recommended to nobody who"
                " bought them on one day alone.",
                once,
            )
        )
    return tuple(told)


def _rows(
    sold: Assortment, on_shelf: Shelf, chosen: npt.NDArray[np.intp], ranked: Ranked
) -> pa.Table:
    """A row a customer and product; texts are written once and pointed to."""
    import pyarrow as pa

    row, rank = np.nonzero(ranked.place >= 0)
    place = ranked.place[row, rank]
    products = [sold.products[n] for n in on_shelf.product]
    ids = pa.array([product.product_id for product in products], pa.string())
    labels = pa.array([product.label for product in products], pa.string())
    categories = pa.array([product.category for product in products], pa.string())

    def pointed(codes: Codes, texts: pa.Array) -> pa.Array:
        # A null is a row that points to nothing: Parquet takes none among the texts.
        unknown = (codes < 0) | texts.is_null().to_numpy(zero_copy_only=False)[codes]
        return pa.DictionaryArray.from_arrays(pa.array(codes, mask=unknown), texts.fill_null(""))

    return pa.table(
        {
            "customer_id": sold.customers.take(pa.array(chosen[row])),
            "rank": pa.array((rank + 1).astype(np.int32)),
            "product_id": pointed(place, ids),
            "product": pointed(place, labels),
            "category": pointed(place, categories),
            "days_before": pa.array(ranked.days[row, rank]),
            "because_1": pointed(ranked.because[row, rank, 0], labels),
            "because_2": pointed(ranked.because[row, rank, 1], labels),
        }
    )


def _no_rows() -> pa.Table:
    import pyarrow as pa

    texts = ("customer_id", "product_id", "product", "category", "because_1", "because_2")
    columns = {name: pa.array([], pa.string()) for name in texts}
    numbers = {name: pa.array([], pa.int32()) for name in ("rank", "days_before")}
    return pa.table(columns | numbers)
