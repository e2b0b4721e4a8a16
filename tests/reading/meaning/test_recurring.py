"""What subscriptions come to a month, where their price is one of a year or of a seat."""

from __future__ import annotations

import datetime as dt

from .conftest import Read, told


def test_stripe_subscriptions_are_contracts(read: Read, rows) -> None:
    """They were orders of 180 in all, on the day that each began."""
    reading = read(
        "id,Customer ID,Customer Description,Customer Email,Plan,Quantity,Currency,Interval,Amount,"
        "Status,Created (UTC),Start (UTC),Current Period Start (UTC),Current Period End (UTC),"
        "Trial Start (UTC),Trial End (UTC),Canceled At (UTC),Ended At (UTC)\n"
        "sub_1,cus_1,,a@x.fr,price_1,1,eur,month,20.00,active,2025-01-03 09:12,2025-01-03 09:12,"
        "2026-05-03 09:12,2026-06-03 09:12,,,2026-05-20 09:12,\n"
        "sub_2,cus_2,,b@x.fr,price_2,2,eur,year,120.00,canceled,2025-02-03 09:12,2025-02-03 09:12,"
        "2025-02-03 09:12,2026-02-03 09:12,,,2025-08-03 10:00,2025-09-03 23:30\n"
        "sub_3,cus_3,,c@x.fr,price_1,1,eur,month,20.00,incomplete_expired,2025-03-03 09:12,"
        "2025-03-03 09:12,2025-03-03 09:12,2025-04-03 09:12,,,,2025-03-04 09:12\n"
    )
    assert "orders" not in reading.tables
    first, second = rows(reading, "subscriptions")
    assert (first["monthly_amount"], first["ended_at"], first["churned"]) == (20, None, False)
    assert (second["monthly_amount"], second["ended_at"]) == (20, dt.date(2025, 9, 4))
    assert "incomplete_expired (1 row)" in told(reading)
    assert "multiplied by column Quantity" in told(reading)


def test_a_price_a_year_is_a_twelfth_a_month(read: Read, column) -> None:
    reading = read(
        "client;abonnement;date début;prix;périodicité\nA;Or;2025-01-01;120;annuel\n"
        "B;Or;2025-01-01;15;mensuel\nC;Or;2025-01-01;30;trimestriel\n"
    )
    assert column(reading, "subscriptions", "monthly_amount") == [10, 15, 10]
    reading = read(
        "client;abonnement;date début;prix mensuel;périodicité\nA;Or;2025-01-01;12;annuel\n"
    )
    assert column(reading, "subscriptions", "monthly_amount") == [12]
