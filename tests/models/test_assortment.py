"""What was sold: brought together as a plain loop would, and rid of what is no product."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from revoir.models.assortment import Assortment, Product, _is_service, assortment
from revoir.models.purchase_days import number_of

START = dt.date(2024, 1, 1)


def line(customer, code, day, *, amount=10, kind="purchase", quantity=1, order=None, **more):
    return {
        "order_id": order or f"{customer}-{day}",
        "customer_id": customer,
        "ordered_on": START + dt.timedelta(days=day),
        "kind": kind,
        "product_id": code,
        "quantity": Decimal(quantity),
        "amount": Decimal(amount),
        **more,
    }


@pytest.fixture
def sold_by(make_book):
    """Makes an assortment of lines."""

    def make(rows, as_of=None):
        return assortment(make_book(order_lines=rows), as_of)

    return make


def test_lines_without_an_amount_of_their_own_were_bought(sold_by):
    """Where only the order's total is known, none of its products had ever been sold."""
    rows = [line("c1", f"p{n}", n) for n in range(3)]
    sold = sold_by([rows[0], *({**row, "amount": None} for row in rows[1:])])
    assert [one.product_id for one in sold.products] == ["p0", "p1", "p2"]
    assert [np.isnan(one.price) for one in sold.products] == [False, True, True]


def test_each_product_counts_once_a_day(sold_by):
    draw = np.random.default_rng(3)
    rows = [
        line(f"c{a}", f"p{b}", int(day), order=f"o{n}")
        for n, (a, b, day) in enumerate(zip(*draw.integers(0, (9, 6, 40), (300, 3)).T, strict=True))
    ]
    rows += [line("c1", "p1", 5, kind="return", amount=-3), line("c1", "p9", 6, kind="free")]
    rows += [line("c1", "p8", 7, quantity=-1, amount=-2), line(None, "p7", 8)]
    sold = sold_by(rows)
    expected = sorted(
        {
            (row["customer_id"], row["product_id"], number_of(row["ordered_on"]))
            for row in rows[:300]
        }
    )
    ids, products = sold.customers.to_pylist(), [one.product_id for one in sold.products]
    found = zip(sold.customer, sold.product, sold.day, strict=True)
    assert [(ids[c], products[p], day) for c, p, day in found] == expected
    assert products == [f"p{n}" for n in range(6)] + ["p7"]
    until = number_of(START) + 20
    pairs = sold.pairs(until)
    for n in range(len(pairs.customer)):
        whose = (ids[pairs.customer[n]], products[pairs.product[n]])
        days = [day for *pair, day in expected if tuple(pair) == whose and day <= until]
        assert (pairs.days[n], pairs.first_day[n], pairs.last_day[n]) == (
            len(days), days[0], days[-1],
        )  # fmt: skip
    assert len(pairs.days) == len({one[:2] for one in expected if one[2] <= until})


def test_the_sales_to_some_of_the_customers(sold_by):
    sold = sold_by([line(f"c{n:02}", f"p{n % 3}", n % 5) for n in range(40)])
    some = sold.of_some(9)
    assert some.of_some(9) is some
    assert len(some.customers) == 9
    whole = {
        (sold.customers[int(c)].as_py(), p, day)
        for c, p, day in zip(sold.customer, sold.product, sold.day, strict=True)
    }
    names = set(some.customers.to_pylist())
    found = [
        (some.customers[int(c)].as_py(), p, day)
        for c, p, day in zip(some.customer, some.product, some.day, strict=True)
    ]
    assert set(found) == {one for one in whole if one[0] in names}
    assert (np.diff(some.customer) >= 0).all()
    np.testing.assert_array_equal(some.sold_day, sold.sold_day)


def test_names_categories_and_prices_are_those_of_most_lines(sold_by):
    rows = [
        line("a", "1", 0, product="Tea", category="Drinks", amount=8, quantity=2),
        line("b", "1", 1, product="Tea", category="Drinks", amount=2),
        line("c", "1", 2, product="TEA (old)", category=None, amount=2),
        line("c", "2", 2, product=None, category=None, quantity=4, amount=2),
    ]
    tea, nameless = sold_by(rows).products
    assert (tea.name, tea.category, tea.price) == ("Tea", "Drinks", 3)
    assert (nameless.label, nameless.category, nameless.price) == ("2", None, 0.5)


def test_products_without_codes_go_by_their_names(make_book):
    rows = [line("a", None, 0, product="Tea"), line("b", None, 0, product="Tea")]
    rows += [line("b", None, 1, product="")]
    for row in rows:
        del row["product_id"]
    (tea,) = assortment(make_book(order_lines=rows)).products
    assert tea.product_id == tea.label == "Tea"


def test_orders_that_name_their_product_are_lines_too(make_book):
    rows = [{**line("a", "1", 0), "ordered_at": dt.datetime(2024, 1, 1)}]
    assert [one.product_id for one in assortment(make_book(orders=rows)).products] == ["1"]
    bare = [{name: value for name, value in row.items() if name != "product_id"} for row in rows]
    assert assortment(make_book(orders=bare)) is None


def test_later_sales_are_not_seen(sold_by):
    rows = [line("a", "1", 0), line("b", "2", 9)]
    sold = sold_by(rows, START + dt.timedelta(days=5))
    assert [one.product_id for one in sold.products] == ["1"]
    assert sold.customers.to_pylist() == ["a"]


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("POSTAGE", True),
        ("Frais de port", True),
        ("DOTCOM POSTAGE", True),
        ("Livraison à domicile", True),
        ("Remise", True),
        ("Échantillon gratuit", True),
        ("Delivery van, red", False),
        ("Porte-manteau", False),
        ("Port wine", False),
        ("Tea", False),
        (None, False),
    ],
)
def test_services_go_by_their_name(name, service):
    assert _is_service(name) is service


def test_codes_without_a_digit_are_no_products_where_nearly_all_have_one(sold_by):
    codes = [f"{n}A" for n in range(30)]
    rows = [line("a", code, 0, product=f"Cup {code}") for code in [*codes, "M", "CRUK"]]
    sold = sold_by(rows)
    flagged = [
        one.product_id for one, is_one in zip(sold.products, sold.services, strict=True) if is_one
    ]
    assert flagged == ["CRUK", "M"]
    words = ["tea", "cup", "pot", "tin", "M"]
    assert not sold_by(
        [line("a", word, 0, product=f"Nice {word}") for word in words]
    ).services.any()


def days_sold(*of_products):
    """An assortment of products sold on the days given, to nobody known."""
    import pyarrow as pa

    product = np.repeat(np.arange(len(of_products)), [len(days) for days in of_products])
    day = np.concatenate([np.array(days) for days in of_products])
    none = np.zeros(0, np.int32)
    names = tuple(Product(str(n), None, None, 1.0) for n in range(len(of_products)))
    return Assortment(
        START, pa.array([], pa.string()), names, none, none, none,
        product.astype(np.int32), day.astype(np.int32),
    )  # fmt: skip


def test_a_silence_ends_what_sold_often_and_not_what_sold_seldom():
    sold = days_sold(range(300), range(0, 300, 30), [299], range(0, 300, 7))
    assert sold.ended(305).tolist() == [False, False, False, False]
    assert sold.ended(345).tolist() == [True, False, False, True]
    assert sold.ended(700).tolist() == [True, True, True, True]
    assert sold.ended(150).tolist() == [False, False, True, False]  # the third is not sold yet


@settings(max_examples=100, deadline=None)
@given(
    days=some.lists(some.integers(0, 400), min_size=1, max_size=40),
    on=some.integers(0, 400),
    later=some.integers(0, 300),
)
def test_what_has_ended_stays_so_until_it_is_sold_again(days, on, later):
    sold = days_sold(days)
    if sold.ended(on)[0] and not any(on < day <= on + later for day in days):
        assert sold.ended(on + later)[0]
