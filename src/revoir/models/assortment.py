"""What was sold: the products of a shop, and which customer bought which of them on which day.

Purchases are days (docs/adr/0002): a product that stands on two tickets of a day was bought once.
A line counts that belongs to a purchase and is not given back; what is no product (postage, a
discount, a bank charge) is told apart by rules that `Assortment.services` can be asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from revoir.book import Book
from revoir.models.purchase_days import number_of
from revoir.tables import plain_name

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

Codes = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SERVICE_WORDS = _words(
    "postage postal carriage shipping delivery handling freight manual adjust adjustment discount"
    " rebate refund sample samples fee fees charge charges commission deposit rounding tip"
    " port livraison envoi expedition transport affranchissement remise rabais ristourne avoir"
    " acompte caution consigne arrondi pourboire frais echantillon echantillons"
    " emballage regularisation ajustement"
)
"""Words for what stands on tickets and is no product, as `plain_name` writes them."""
_FILLERS = _words(
    "de d du des la le les l a au aux et of the and for on to bank bancaires bancaire dotcom amazon"
    " express standard relais domicile colis parcel order commande cadeau free gratuit gratuite"
    " gratuits postaux postale client dossier service services bad debt"
)
CODES_WITH_DIGITS = 0.9
"""Where as many codes have a digit, one without any is no product."""
ENDED_BELOW = 0.01
"""A product is no longer sold when so long a silence of its sales has a smaller probability."""
ENDED_AFTER_DAYS = 14
_GRACE_DAYS = 30


@dataclass(frozen=True)
class Product:
    """One product.

    Attributes:
        product_id: What identifies it: its code, or its name where the data have no codes.
        name: Its name, as most lines write it (None: the data have none).
        category: Its category, likewise.
        price: Mean price of one (NaN: it is not known, or prices are in several currencies).
        stock: How many are in stock (None: no list of products says so).
    """

    product_id: str
    name: str | None
    category: str | None
    price: float
    stock: float | None = None

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.name or self.product_id


@dataclass(frozen=True)
class Pairs:
    """Customers and products they bought; one element a pair, sorted by customer and product.

    Attributes:
        customer: Number of the customer in `Assortment.customers`.
        product: Number of the product in `Assortment.products`.
        days: On how many days.
        first_day: The first of them, counted from 1970.
        last_day: The last of them.
    """

    customer: Codes
    product: Codes
    days: Codes
    first_day: Codes
    last_day: Codes


@dataclass(frozen=True)
class Assortment:
    """The products of a shop and their sales.

    Attributes:
        as_of: The last day that counts.
        customers: Identifiers of the customers who bought a product, sorted.
        products: The products, by `product_id`.
        customer: Who bought; with `product` and `day` one element for each product and day of a
            customer, sorted by these three.
        product: Which product.
        day: On which day, counted from 1970.
        sold_product: With `sold_day`, each product and day it was sold, to customers unknown too.
        sold_day: The day.
    """

    as_of: dt.date
    customers: pa.Array
    products: tuple[Product, ...]
    customer: Codes
    product: Codes
    day: Codes
    sold_product: Codes
    sold_day: Codes

    def pairs(self, until: int) -> Pairs:
        """Who had bought what by a day (counted from 1970)."""
        seen = self.day <= until
        customer, product, day = self.customer[seen], self.product[seen], self.day[seen]
        opens = np.ones(len(customer), bool)
        opens[1:] = (np.diff(customer) != 0) | (np.diff(product) != 0)
        start = np.flatnonzero(opens)
        days = np.diff(start, append=len(customer)).astype(np.int32)
        last = start + days - 1
        return Pairs(customer[start], product[start], days, day[start], day[last])

    def of_some(self, customers: int, *, seed: int = 0) -> Assortment:
        """The same products, and the sales to some of the customers alone.

        Args:
            customers: How many are drawn, where there are more.
            seed: Chooses the draw.

        Returns:
            The assortment; customers unknown keep their part in what was sold.
        """
        if customers >= len(self.customers):
            return self
        draw = np.random.default_rng(seed)
        chosen = np.sort(draw.choice(len(self.customers), customers, replace=False))
        place = np.full(len(self.customers), -1, np.int32)
        place[chosen] = np.arange(customers, dtype=np.int32)
        theirs = place[self.customer] >= 0
        return replace(
            self,
            customers=self.customers.take(chosen),
            customer=place[self.customer[theirs]],
            product=self.product[theirs],
            day=self.day[theirs],
        )

    @cached_property
    def services(self) -> Flags:
        """Which of the products are none: their name says so, or their code has no digit."""
        ids = [product.product_id for product in self.products]
        digits = np.array([any(letter.isdigit() for letter in one) for one in ids], bool)
        flagged = np.array([_is_service(product.name) for product in self.products], bool)
        named_by_code = any(
            product.name not in (None, product.product_id) for product in self.products
        )
        if named_by_code and ids and digits.mean() >= CODES_WITH_DIGITS:
            flagged |= ~digits
        return flagged

    @cached_property
    def out_of_stock(self) -> Flags:
        """Which products the shop has none of, by its list of them."""
        held = [product.stock is not None and product.stock <= 0 for product in self.products]
        return np.array(held, bool)

    def ended(self, on: int) -> Flags:
        """Which products are no longer sold on a day (counted from 1970).

        A product sold on n days between its first and last sale sells on about n in so many days
        more `_GRACE_DAYS`; it has ended when a silence as long as the present one has a probability
        below `ENDED_BELOW` at that rate, and lasts longer than `ENDED_AFTER_DAYS`.
        """
        seen = self.sold_day <= on
        product, day = self.sold_product[seen], self.sold_day[seen]
        count = len(self.products)
        n = np.bincount(product, minlength=count)
        first, last = np.full(count, on), np.full(count, -(10**6))
        np.minimum.at(first, product, day)
        np.maximum.at(last, product, day)
        silence = on - last
        rate = n / (np.maximum(last - first, 0) + 1 + _GRACE_DAYS)
        unlikely = silence * np.log1p(-np.minimum(rate, 1 - 1e-9)) < np.log(ENDED_BELOW)
        ended: Flags = (n == 0) | (unlikely & (silence > ENDED_AFTER_DAYS))
        return ended


def _is_service(name: str | None) -> bool:
    words = set(plain_name(name or "").split("_"))
    return bool(words & SERVICE_WORDS) and words <= SERVICE_WORDS | _FILLERS


def assortment(book: Book, as_of: dt.date | None = None) -> Assortment | None:
    """Read what was sold until a day.

    Args:
        book: The company's tables.
        as_of: The last day that counts (None: the book's own).

    Returns:
        The products and their sales; None where no line of a known customer names a product.
    """
    as_of = as_of or book.as_of
    return book.once(f"assortment {as_of}", lambda: _read(book, as_of))


def sold_lines(book: Book, as_of: dt.date) -> ir.Table | None:
    """The lines of purchases that name a product and were not given back.

    Args:
        book: The company's tables.
        as_of: The last day that counts.

    Returns:
        `order_id` (where the data have it), `customer_id`, `key` (what identifies the product),
        `name`, `category`, `day`, `quantity`, `amount` and `upgrade_on` (null where the data have
        none of these); None where no table names products.
    """
    import ibis

    for name in ("order_lines", "orders"):
        if not book.has(name, "customer_id", "ordered_on", "kind"):
            continue
        table = book.table(name)
        held = [column for column in ("product_id", "product") if column in table.columns]
        if not held:
            continue
        table = table.filter(
            (table.kind == "purchase") & (table.ordered_on <= ibis.date(as_of.isoformat()))
        )
        quantity = table.quantity if "quantity" in table.columns else ibis.literal(1)
        amount = table.amount.cast("float64")
        lines = table.select(
            **({"order_id": table.order_id} if "order_id" in table.columns else {}),
            customer_id=table.customer_id,
            key=ibis.coalesce(*(table[column].cast("string").nullif("") for column in held)),
            name=table.product if "product" in table.columns else ibis.null("string"),
            category=table.category if "category" in table.columns else ibis.null("string"),
            day=table.ordered_on,
            upgrade_on=table.upgrade_on.cast("date")
            if "upgrade_on" in table.columns
            else ibis.null("date"),
            quantity=quantity.cast("float64"),
            amount=amount,
        )
        # Lines of an order whose one total is known have no amount of their own.
        return lines.filter(
            lines.key.notnull()
            & (ibis.coalesce(lines.quantity, 1) > 0)
            & (ibis.coalesce(lines.amount, 0) >= 0)
        )
    return None


def _read(book: Book, as_of: dt.date) -> Assortment | None:
    lines = sold_lines(book, as_of)
    if lines is None:
        return None
    bought = book.columns(
        lines.filter(lines.customer_id.notnull()).select("customer_id", "key", "day").distinct()
    )
    if not bought.num_rows:
        return None
    sold = book.columns(lines.select("key", "day").distinct())
    products = _products(book, lines)
    customers, customer = coded(bought["customer_id"])
    first = int(min(_day(bought).min(), _day(sold).min()))
    span = int(number_of(as_of)) - first + 1
    # One sort of one number a row is ten times faster than one of three.
    code = customer.astype(np.int64) * len(products) + placed(bought["key"], products)
    code = np.sort(code * span + (_day(bought) - first))
    pair, day = np.divmod(code, span)
    return Assortment(
        as_of,
        customers,
        products,
        (pair // len(products)).astype(np.int32),
        (pair % len(products)).astype(np.int32),
        (day + first).astype(np.int32),
        placed(sold["key"], products),
        _day(sold),
    )


def _products(book: Book, lines: ir.Table) -> tuple[Product, ...]:
    """Each product with the name and the category that most of its lines give it."""
    counted = lines.group_by("key", "name", "category").aggregate(
        n=lines.count(), quantity=lines.quantity.sum(), amount=lines.amount.sum()
    )
    rows: dict[str, list[dict[str, object]]] = {}
    for row in book.rows(counted):
        rows.setdefault(row["key"], []).append(row)
    comparable = len(book.currencies_of("orders")) <= 1
    stock = _stock(book)
    return tuple(
        _product(key, rows[key], stock.get(key), comparable=comparable) for key in sorted(rows)
    )


def _stock(book: Book) -> dict[str, float]:
    """How many are in stock of each product that a list tells it of."""
    if not book.has("products", "product_id", "stock"):
        return {}
    table = book.table("products")
    held = table.filter(table.stock.notnull())
    listed = held.group_by(key=held.product_id.cast("string")).aggregate(
        stock=held.stock.cast("float64").sum()
    )
    return {row["key"]: row["stock"] for row in book.rows(listed)}


def _product(
    key: str, rows: list[dict[str, object]], stock: float | None, *, comparable: bool
) -> Product:
    def most(column: str) -> str | None:
        counts: dict[str, int] = {}
        for row in rows:
            if row[column]:
                counts[str(row[column])] = counts.get(str(row[column]), 0) + int(str(row["n"]))
        return max(sorted(counts), key=counts.__getitem__) if counts else None

    quantity = sum(float(str(row["quantity"] or 0)) for row in rows)
    amount = sum(float(str(row["amount"] or 0)) for row in rows)
    priced = comparable and quantity > 0 and any(row["amount"] is not None for row in rows)
    price = amount / quantity if priced else float("nan")
    return Product(key, most("name"), most("category"), price, stock)


def coded(column: pa.ChunkedArray) -> tuple[pa.Array, Codes]:
    """The distinct values of a column, sorted, and the place of each row's value among them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column.cast(pa.large_string()).combine_chunks().dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return encoded.dictionary.take(pa.array(order)), rank[encoded.indices.to_numpy()]


def placed(column: pa.ChunkedArray, products: Sequence[Product]) -> Codes:
    """The place of each row's product among the products."""
    places = {product.product_id: place for place, product in enumerate(products)}
    encoded = column.combine_chunks().dictionary_encode()
    there = np.array([places[key] for key in encoded.dictionary.to_pylist()], np.int32)
    found: Codes = there[encoded.indices.to_numpy()]
    return found


def _day(table: pa.Table) -> Codes:
    days: Codes = table["day"].cast("date32").cast("int32").to_numpy()
    return days
