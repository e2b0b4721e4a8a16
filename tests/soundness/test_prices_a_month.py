"""What a price comes to a month: those of a year or a quarter counted up to twelve times."""

import pytest

import revoir


@pytest.fixture
def contracts(tmp_path):
    def read(header, *cells):
        """A file of contracts that run, and what their prices come to a month."""
        path = tmp_path / "contracts.csv"
        rows = [f"{n},{n},pro,2024-01-0{n},,{cell}\n" for n, cell in enumerate(cells, 1)]
        head = "subscription_id,customer_id,plan,start_date,end_date,"
        path.write_text(f"{head}{header}\n{''.join(rows)}")
        book = revoir.read(path)
        rows = book.rows(book.table("subscriptions").order_by("subscription_id"))
        prices = [row["monthly_amount"] for row in rows]
        told = "\n".join(note.text("en") for note in book.reading.files[0].notes)
        return book, [None if price is None else float(price) for price in prices], told

    return read


@pytest.mark.parametrize(
    ("header", "months"),
    [
        ("annual_price", 12),
        ("yearly_price", 12),
        ("annual_amount", 12),
        ("price_per_year", 12),
        ("prix_annuel", 12),
        ("Prix annuel HT", 12),
        ("Montant par an (€)", 12),
        ("quarterly_price", 3),
        ("Prix trimestriel", 3),
        ("Montant semestriel TTC", 6),
        ("prix_12_mois", 12),
        # What is right stays so.
        ("price", 1),
        ("mrr", 1),
        ("prix_mensuel", 1),
        ("monthly_price_billed_annually", 1),
        ("Prix (engagement 12 mois)", 1),
        ("Prix mis à jour", 1),
    ],
)
def test_a_header_says_what_time_a_price_is_for(contracts, header, months):
    book, prices, told = contracts(header, "1200", "120")
    assert prices == [1200 / months, 120 / months]
    assert ("brought to a month" in told) is (months != 1)
    assert revoir.measure(book, "mrr").figures[-1].value == 1320 / months


@pytest.mark.parametrize(
    ("word", "months"),
    [
        ("annuel", 12),
        ("P1Y", 12),
        ("P3M", 3),
        ("12", 12),
        ("12 months", 12),
        ("Annuel (12 mois)", 12),
        ("biennial", 24),
        ("biannual", 6),
        ("semi-annual", 6),
        ("semestriel", 6),
        ("every 6 months", 6),
        ("2 fois par an", 6),
        ("trimestriel", 3),
        ("every two months", 2),
        ("mensuel, engagement 12 mois", 1),
        # Twice a month, or every two months: nobody can tell.
        ("bimonthly", None),
        ("lifetime", None),
        ("Sans engagement", None),
        ("", None),
    ],
)
def test_one_word_that_is_not_known_leaves_the_others_their_months(contracts, word, months):
    book, prices, told = contracts("price,interval", f'1200,"{word}"', "1200,year")
    assert prices == [None if months is None else pytest.approx(1200 / months), 100]
    assert ("1 row says" in told) is (months is None)
    assert revoir.measure(book, "mrr").figures[-1].value == pytest.approx(sum(filter(None, prices)))


@pytest.mark.parametrize(
    ("headers", "cells"),
    [
        ("interval,interval_count", ["year,1", "month,3", "month,1"]),
        ("plan.interval,plan.interval_count", ["year,1", "month,3", "month,"]),
        ("billing_interval,billing_period", ["1,year", "3,month", "1,month"]),
        ("billing_period,billing_period_unit", ["1,year", "3,month", "1,month"]),
        ("billing_period_months", ["12", "3", "1"]),
        ("interval,cycle", ["year,7", "quarter,8", "month,9"]),
    ],
)
def test_a_column_counts_the_months_between_payments(contracts, headers, cells):
    """A price of 300 every three months (Stripe: interval month, count 3) was 300 a month."""
    prices = ["1200", "300", "100"]
    rows = [f"{price},{cell}" for price, cell in zip(prices, cells, strict=True)]
    book, found, _ = contracts(f"price,{headers}", *rows)
    assert found == [100, 100, 100]
    assert revoir.measure(book, "mrr").figures[-1].value == 300


def test_words_of_which_none_is_known_are_told(contracts):
    _, prices, told = contracts("price,frequency", "10,12", "20,4")
    assert prices == [10, 20]
    assert "taken as those of a month" in told
    _, prices, told = contracts("price,period", "10,2024-01", "20,2024-02")
    assert (prices, told) == ([10, 20], "")
