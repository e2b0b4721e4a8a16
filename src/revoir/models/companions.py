"""What goes with one product: what joins it in the basket, and what its buyers move up to."""

from __future__ import annotations

from dataclasses import dataclass

from revoir.book import Book
from revoir.language import Message
from revoir.models.association import Pair
from revoir.models.assortment import Assortment, Product
from revoir.models.baskets import associations
from revoir.models.product_names import product_named
from revoir.models.upgrades import Moves, Upgrade


@dataclass(frozen=True)
class Companions:
    """What goes with a product.

    Attributes:
        product: The product.
        sold: All products.
        orders: Whether a basket is an order (else the day of a customer).
        joining: The products that join it, those first whose lift is surest.
        upgrades: What its buyers move up to, those first to which surely most do.
        reasons: Why one of these cannot be told.
    """

    product: Product
    sold: Assortment
    orders: bool
    joining: list[Pair]
    upgrades: list[Upgrade]
    reasons: tuple[Message, ...]

    @property
    def labels(self) -> dict[str, str]:
        """What a person calls each product."""
        return {one.product_id: one.label for one in self.sold.products}


def companions(book: Book, name: str, top: int = 5) -> Companions | None:
    """Say what goes with a product.

    Args:
        book: The company's tables.
        name: The product's code or name.
        top: How many products each at most.

    Returns:
        What is known of it; None where the data name no products.

    Raises:
        UsageError: There is no such product.
    """
    found = associations(book)
    if found is None:
        return None
    product, moves = product_named(found.sold, name), Moves.of(found.sold)
    return Companions(
        product=found.sold.products[product],
        sold=found.sold,
        orders=found.orders,
        joining=found.joining(product, top),
        upgrades=moves.up_from(product, top),
        reasons=tuple(one for one in (found.reason, moves.reason) if one is not None),
    )
