"""Products and categories found by what people call them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from revoir.errors import UsageError
from revoir.language import Message, msg
from revoir.models.assortment import Assortment, Flags, Product
from revoir.tables import plain_name


def product_named(sold: Assortment, name: str) -> int:
    """The number of the product of that code or name.

    Args:
        sold: The products.
        name: A code as it stands, or a name, whatever its case and accents.

    Returns:
        Its number in `sold`.

    Raises:
        UsageError: There is none; those of like names are told.
    """
    import difflib

    wanted = plain_name(name)
    names: dict[str, int] = {}
    for number, product in enumerate(sold.products):
        if product.product_id == name:
            return number
        for text in (product.label, product.product_id):
            names.setdefault(plain_name(text), number)
    if wanted in names:
        return names[wanted]
    close = [sold.products[names[one]].label for one in difflib.get_close_matches(wanted, names)]
    raise UsageError(
        msg("There is no product “{name}”.", name=name),
        remedy=msg("Did you mean {names}?", names=close)
        if close
        else msg("Write its code or its name as the data do."),
    )


def products_of(sold: Assortment, name: str) -> Flags:
    """Which products a name means: those of the category, or the one of that code."""
    wanted = plain_name(name)
    return np.array(
        [
            product.product_id == name or plain_name(product.category or "") == wanted
            for product in sold.products
        ],
        bool,
    )


def excluded(sold: Assortment, names: Sequence[str]) -> Flags:
    """The products of categories, or of codes, that are not wanted.

    Args:
        sold: The products.
        names: Categories and codes.

    Returns:
        Whether each product is one of them.

    Raises:
        UsageError: A name means nothing in the data.
    """
    flagged = np.zeros(len(sold.products), bool)
    for name in names:
        theirs = products_of(sold, name)
        if not theirs.any():
            raise UsageError(
                msg("There is no category or product “{name}”.", name=name),
                remedy=_known_categories(sold.products),
            )
        flagged |= theirs
    return flagged


def never(sold: Assortment, names: Sequence[str]) -> tuple[Flags, list[str]]:
    """The products that the company never recommends; a name that the data lost harms nobody.

    Args:
        sold: The products.
        names: Categories and codes, as the company's settings say.

    Returns:
        Whether each product is one of them, and the names that mean nothing in the data.
    """
    flagged, unknown = np.zeros(len(sold.products), bool), []
    for name in names:
        theirs = products_of(sold, name)
        if not theirs.any():
            unknown.append(name)
        flagged |= theirs
    return flagged, unknown


def _known_categories(products: Sequence[Product]) -> Message:
    known = sorted({product.category for product in products if product.category})
    if not known:
        return msg("The data give products no category: write the code of a product.")
    return msg("The categories are: {names}.", names=known[:20])
