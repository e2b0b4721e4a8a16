"""What a list of products says of them, beside the rows that sold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from revoir.tables import CUSTOMERS, ORDER_LINES, ORDERS, PRODUCTS

if TYPE_CHECKING:
    import ibis.expr.types as ir

_SAID = ("product", "category")
_OTHERS = {column.name for table in (CUSTOMERS, ORDERS, ORDER_LINES, PRODUCTS)
           for column in table.columns}  # fmt: skip
"""Names that say another thing of a sale: the currency of a list price, a product's status."""


def described(rows: ir.Table, products: ir.Table) -> ir.Table:
    """Give rows of sales the names, categories and attributes of the list of products.

    What a row says itself stays: a product may have had another name, or category, when it was
    sold. Numbers of the list (prices, weights, the stock of today) are no part of a sale. A code
    that is not in the list is that of the one product whose code differs in case or blanks alone.

    Args:
        rows: Order lines, or orders of one product each.
        products: The list of products, `product_id` once each.

    Returns:
        The rows, as many, with the columns of before and those that the list adds. They are the
        rows themselves where nothing tells which product they sold.

    Examples:
        >>> import ibis
        >>> lines = ibis.memtable({"line_id": ["1"], "product_id": [7]})
        >>> described(lines, ibis.memtable({"product_id": ["7"], "category": ["tea"]})).columns
        ('line_id', 'product_id', 'category')
    """
    import ibis

    own = "product_id" if "product_id" in rows.columns else "product"
    theirs = own if own == "product_id" or own not in products.columns else "product"
    taken = [
        name
        for name in products.columns
        if name not in ("product_id", theirs)
        and (name in _SAID or name not in {*_OTHERS, *rows.columns})
        and (products[name].type().is_string() or products[name].type().is_boolean())
    ]
    if own not in rows.columns or not taken:
        return rows
    listed = products.mutate(_product=products[theirs].cast("string"))
    # A list of a warehouse may name one twice, and no sale may count twice for it.
    listed = listed.group_by("_product").aggregate(
        **{f"_{place}": listed[name].max() for place, name in enumerate(taken)}
    )
    alike = listed.mutate(_alike=_alike(listed._product))
    alike = alike.group_by("_alike").aggregate(
        _codes=alike.count(),
        **{f"_alike_{place}": alike[f"_{place}"].max() for place in range(len(taken))},
    )
    alike = alike.filter(alike._codes == 1)
    code = rows[own].cast("string")
    joined = rows.left_join(listed, code == listed._product)
    joined = joined.left_join(alike, _alike(code) == alike._alike)
    cells = {
        name: ibis.coalesce(
            *([joined[name].cast(products[name].type())] if name in rows.columns else []),
            joined[f"_{place}"],
            joined[f"_alike_{place}"],
        )
        for place, name in enumerate(taken)
    }
    return joined.select(*(name for name in rows.columns if name not in cells), **cells).select(
        *rows.columns, *(name for name in cells if name not in rows.columns)
    )


def _alike(code: ir.StringValue) -> ir.StringValue:
    return code.strip().lower()
