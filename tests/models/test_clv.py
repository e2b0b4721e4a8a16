"""From a book to a ranked list of customers with what they are worth."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

import revoir
from revoir.book import Book
from revoir.datasets.btyd import bg_nbd_orders
from revoir.errors import UsageError
from revoir.models.bg_nbd import BgNbd
from revoir.models.clv import clv
from revoir.models.gamma_gamma import GammaGamma


def orders(customers=500, seed=3, **columns):
    drawn = bg_nbd_orders(customers, seed=seed)
    return pa.table(
        {
            "customer_id": [f"c{n:05}" for n in drawn.customer_id],
            "ordered_on": drawn.ordered_at.astype("datetime64[D]"),
            "amount": drawn.amount,
        }
        | {name: [value] * len(drawn.amount) for name, value in columns.items()}
    )


def order(customer, day):
    on = dt.date(2023, 1, 1) + dt.timedelta(days=day)
    return {"customer_id": f"c{customer}", "ordered_on": on, "amount": 9.0}


@pytest.fixture
def book(make_book) -> Book:
    return make_book(orders=orders())


def told(found) -> str:
    return "\n".join(note.text("en") for note in found.notes)


def test_the_list_is_what_the_models_say(book):
    found = clv(book, model="bg_nbd", unit="week", horizon_days=182)
    rows = found.customers.to_pylist()
    x, t_x, T = (
        np.array([row[name] for row in rows], float) for name in ("frequency", "recency", "T")
    )
    spent = np.array([row["monetary_value"] or 0.0 for row in rows])
    model = BgNbd().fit(x, t_x / 7, T / 7)
    spending = GammaGamma().fit(x, spent)
    assert found.parameters == pytest.approx(model.parameters_)
    assert found.model.log_likelihood_ == pytest.approx(model.log_likelihood_)
    expected = model.expected_purchases(26, x, t_x / 7, T / 7)
    assert [row["expected_purchases"] for row in rows] == pytest.approx(expected)
    assert [row["p_alive"] for row in rows] == pytest.approx(model.p_alive(x, t_x / 7, T / 7))
    assert [row["p_purchase"] for row in rows] == pytest.approx(
        model.p_purchase(26, x, t_x / 7, T / 7)
    )
    value = spending.expected_value(x, spent)
    assert [row["expected_value"] for row in rows] == pytest.approx(value)
    assert [row["clv"] for row in rows] == pytest.approx(value * expected)
    assert all(row["low"] <= row["clv"] <= row["high"] for row in rows)


def test_the_one_worth_most_comes_first_and_nobody_is_missing(book):
    found = clv(book)
    rows = found.customers.to_pylist()
    assert len(rows) == found.count == 500
    assert [row["clv"] for row in rows] == sorted((row["clv"] for row in rows), reverse=True)
    assert found.worth.total.value == pytest.approx(sum(row["clv"] for row in rows))
    assert found.choice.backtest is not None
    assert found.choice.why.text("en") in told(found)
    assert "Tested on the past" in told(found)


def test_the_same_book_gives_the_same_answer(book):
    one, other = clv(book, model="mbg_nbd"), clv(book, model="mbg_nbd")
    assert one.customers.equals(other.customers)
    assert one.worth.total == other.worth.total


def test_nothing_after_the_day_counts(make_book):
    table = orders()
    day = dt.date(2023, 6, 30)
    known = table.filter(pa.compute.less_equal(table["ordered_on"], pa.scalar(day)))
    early = clv(make_book(orders=table).at(day))
    only = clv(make_book(orders=known).at(day))
    assert early.customers.equals(only.customers)
    assert early.parameters == only.parameters
    assert early.choice.backtest == only.choice.backtest


@pytest.mark.parametrize(("share", "says"), [(0.9, "90%"), (0.995, "99.5%"), (0.9999, "99.99%")])
def test_bounds_are_never_certain(book, share, says):
    """Bounds of 99.9% were said to hold with a probability of 100%."""
    found = clv(book, model="mbg_nbd", confidence=share, tested=False)
    assert f"with a probability of {says} between" in found.sentence().text("en")


def test_one_day_is_no_days(book, make_book):
    bare = make_book(orders=orders().set_column(2, "amount", pa.nulls(len(orders()), pa.float64())))
    for held, says in ((book, "bring in"), (bare, "buy")):
        found = clv(held, model="mbg_nbd", horizon_days=1, tested=False)
        assert found.sentence().text("en").startswith(f"Within 1 day they will {says}")


def test_a_year_ahead_is_twelve_months_everywhere(make_book):
    """The page looked 365 days ahead and the command 366, so that their figures differed."""
    held = make_book(orders=orders(200))
    ordinary, leap = dt.date(2022, 6, 1), dt.date(2023, 6, 1)
    for as_of, days in ((ordinary, 365), (leap, 366)):
        book = held.at(as_of)
        assert clv(book, model="mbg_nbd", tested=False).horizon_days == days


def test_one_time_buyers_of_bg_nbd_are_explained(book):
    assert "says nothing" in told(clv(book, model="bg_nbd", tested=False))
    assert "says nothing" not in told(clv(book, model="mbg_nbd", tested=False))


def test_margin_and_discount(book):
    plain = clv(book, model="mbg_nbd", tested=False)
    half = clv(book.with_settings(margin=0.5), model="mbg_nbd", tested=False)
    later = clv(book, model="mbg_nbd", tested=False, discount=0.1)
    assert "No margin is known" in told(plain)
    assert half.worth.total.value == pytest.approx(plain.worth.total.value / 2)
    assert plain.worth.total.value / 1.1 < later.worth.total.value < plain.worth.total.value
    assert "10.0% a year" in told(later)


def test_what_came_back_is_not_counted(make_book):
    table = orders()
    names = np.array(table["customer_id"].to_pylist())
    spender = max(set(names), key=lambda name: (names == name).sum())
    paid = sum(row["amount"] for row in table.to_pylist() if row["customer_id"] == spender)
    last = max(row["ordered_on"] for row in table.to_pylist())
    back = pa.table(
        {"customer_id": [spender], "ordered_on": pa.array([last]), "amount": [-0.4 * paid]}
    )
    whole = clv(make_book(orders=table), model="mbg_nbd", tested=False)
    less = clv(make_book(orders=pa.concat_tables([table, back])), model="mbg_nbd", tested=False)
    one, other = (
        next(row for row in found.customers.to_pylist() if row["customer_id"] == spender)
        for found in (whole, less)
    )
    assert other["monetary_value"] == pytest.approx(0.6 * one["monetary_value"])
    assert other["clv"] < 0.75 * one["clv"]
    assert other["expected_purchases"] == pytest.approx(one["expected_purchases"])
    assert "gave back" in told(less)
    assert "gave back" not in told(whole)


def test_who_gave_everything_back_is_worth_less_than_who_gave_back_most(make_book):
    """They were valued like an average customer: no value known, and known to be nothing."""
    table = orders()
    names = np.array(table["customer_id"].to_pylist())
    spender = max(set(names), key=lambda name: (names == name).sum())
    paid = sum(row["amount"] for row in table.to_pylist() if row["customer_id"] == spender)
    last = max(row["ordered_on"] for row in table.to_pylist())

    def worth_of(share):
        back = pa.table(
            {"customer_id": [spender], "ordered_on": pa.array([last]), "amount": [-share * paid]}
        )
        found = clv(
            make_book(orders=pa.concat_tables([table, back])), model="mbg_nbd", tested=False
        )
        rows = found.customers.to_pylist()
        return next(row for row in rows if row["customer_id"] == spender)

    most, everything = worth_of(0.9), worth_of(1.0)
    assert everything["monetary_value"] == pytest.approx(0.0)
    assert everything["expected_value"] < most["expected_value"]
    assert everything["clv"] < most["clv"]


def test_nobody_gives_back_more_than_they_bought(make_book):
    """A refund of what was bought before the data begin made “250% of what was bought” come back.

    Of one customer no more is taken away than they bought; the sentence says the same.
    """
    table = orders(200)
    rows = table.to_pylist()
    who, last = rows[0]["customer_id"], max(row["ordered_on"] for row in rows)
    back = pa.table({"customer_id": [who], "ordered_on": pa.array([last]), "amount": [-1e9]})
    found = clv(make_book(orders=pa.concat_tables([table, back])), model="mbg_nbd", tested=False)
    paid = sum(row["amount"] for row in rows if row["customer_id"] == who)
    share = paid / sum(row["amount"] for row in rows)
    assert f"gave back: {share:.1%} of what was bought" in told(found)


def test_an_amount_that_is_missing_is_not_nothing(make_book):
    """What an unpriced customer spends was taken for 0.00 wherever another's was known."""
    table = orders()
    names = table["customer_id"].to_pylist()
    buyer = max(set(names), key=names.count)
    amounts = [
        None if name == buyer else amount
        for name, amount in zip(names, table["amount"].to_pylist(), strict=True)
    ]
    column = pa.array(amounts, pa.float64())
    known = table.drop_columns(["amount"]).append_column("amount", column)
    found = clv(make_book(orders=known), model="mbg_nbd", tested=False)
    row = next(row for row in found.customers.to_pylist() if row["customer_id"] == buyer)
    assert row["monetary_value"] is None
    assert row["expected_value"] is None


def test_without_amounts_purchases_are_foretold(make_book):
    table = orders()
    nothing = pa.nulls(len(table), pa.float64())
    table = table.drop_columns(["amount"]).append_column("amount", nothing)
    found = clv(make_book(orders=table), model="mbg_nbd", tested=False)
    assert found.spending is None
    assert found.worth.amount is None
    rows = found.customers.to_pylist()
    assert {row["clv"] for row in rows} == {None}
    counts = [row["expected_purchases"] for row in rows]
    assert counts == sorted(counts, reverse=True)
    assert "No amounts are known" in told(found)


def test_that_subscriptions_are_not_in_it_is_told(make_book):
    """Five hundred subscribers beside the buyers were passed over without a word."""
    plans = [{"customer_id": "s", "started_at": dt.date(2022, 1, 1), "monthly_amount": 9.0}]
    told = "what subscriptions bring in is told by the model sbg"
    for tables, said in (({}, False), ({"subscriptions": plans}, True)):
        found = clv(make_book(orders=orders(), **tables), model="mbg_nbd", tested=False)
        assert any(told in note.text("en") for note in found.notes) == said


def test_amounts_in_several_currencies_are_not_added(make_book):
    table = orders(currency="EUR").to_pylist()
    for row in table[::3]:
        row["currency"] = "GBP"
    found = clv(make_book(orders=table), model="mbg_nbd")
    assert found.worth.amount is None
    assert "EUR, GBP" in told(found)


def test_spending_that_grows_with_frequency_is_told(make_book):
    table = orders().to_pylist()
    times = {}
    for row in table:
        times[row["customer_id"]] = times.get(row["customer_id"], 0) + 1
    for row in table:
        row["amount"] *= times[row["customer_id"]]
    found = clv(make_book(orders=table), model="mbg_nbd", tested=False)
    assert "rather more than said" in told(found)


def test_a_file_that_begins_in_the_middle_is_told(make_book):
    rows = [order(n, day) for n in range(80) for day in (n % 20, n % 20 + 90 + n, 300)]
    assert "give a longer history" in told(clv(make_book(orders=rows), model="mbg_nbd"))


@pytest.mark.parametrize(
    ("customers", "days", "says"),
    [
        (1, range(0, 400, 40), "1 customer has bought, a model needs 30"),
        (12, range(0, 400, 40), "12 customers have bought, a model needs 30"),
        (60, (0,), "0 customers have bought again"),
        (60, (0, 20, 40), "they cover 40 days"),
    ],
)
def test_too_little_gives_a_reason_and_no_figure(make_book, customers, days, says):
    rows = [order(n, day) for n in range(customers) for day in days]
    found = clv(make_book(orders=rows))
    assert found.customers is None
    assert found.worth is None
    assert found.parameters == {}
    assert "Not enough data" in found.reason.text("en")
    assert says in found.reason.text("en")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"model": "magic"}, "magic"),
        ({"unit": "year"}, "year"),
        ({"horizon_days": 0}, "0 days"),
        ({"discount": 2.0}, "2"),
        ({"confidence": 1.0}, "probability"),
    ],
)
def test_what_makes_no_sense_is_refused(book, options, says):
    with pytest.raises(UsageError) as caught:
        clv(book, **options)
    assert says in caught.value.text("en")


def test_it_is_one_of_the_public_names():
    assert revoir.clv is clv
