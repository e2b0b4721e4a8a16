"""Rules against plain Python on small tables."""

import datetime as dt
from decimal import Decimal

import ibis
import pytest

from revoir.errors import UsageError
from revoir.segments.rfm import rfm
from revoir.segments.rules import condition, customers_matching, dimension, split, tables_of


@pytest.fixture
def shop(make_book, shop_tables):
    return make_book(**shop_tables)


EVERYONE = {"ann", "bob", "cat", "dan", "eve"}


def who(book, rule):
    rows = [row["customer_id"] for row in book.rows(customers_matching(book, rule))]
    assert len(rows) == len(set(rows))
    return set(rows)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("nps <= 6", {"bob", "cat"}),
        ("nps <= 6 and nps_on >= 2024-01-01", {"bob"}),
        ("nps >= 9", {"ann"}),
        ("nps is unknown", {"dan", "eve"}),
        ("satisfaction < 4 and csat_on = 2024-02-02", {"dan"}),
        ('city = "Tours"', {"ann"}),
        ("ville = 'Tours'", {"ann"}),
        ("VILLE = « Tours »", {"ann"}),
        ("customers.city = “Tours”", {"ann"}),
        ('city != "Tours"', {"bob", "dan"}),
        ('not city = "Tours"', EVERYONE - {"ann"}),
        ('city in ("Tours", "Orléans")', {"ann", "bob"}),
        ('ville dans ("Tours"; "Orléans")', {"ann", "bob"}),
        ('city not in ("Tours")', {"bob", "dan"}),
        ("city is unknown", {"cat", "eve"}),
        ("ville est vide", {"cat", "eve"}),
        ("email is known", {"ann", "cat", "dan"}),
        ("courriel est connu", {"ann", "cat", "dan"}),
        ("email is not known", {"bob", "eve"}),
        ("age >= 41", {"bob", "dan"}),
        ("age between 30 and 41", {"ann", "dan"}),
        ("âge entre 30 et 41 et ville = 'Tours'", {"ann"}),
        ("age not between 30 and 41", {"bob"}),
        ("consent", {"ann", "dan"}),
        ("not consent", {"bob", "cat", "eve"}),
        ("consent = no", {"bob"}),
        ("consentement = non", {"bob"}),
        ("consent != non", {"ann", "dan"}),
        ("postcode = 01000", {"ann"}),
        ("postcode in (01000, 37000)", {"ann", "cat"}),
        ('name contains "DU"', {"ann", "bob"}),
        ('name contains "ete"', {"dan"}),
        ('nom_client ne contient pas "du"', {"cat", "dan"}),
        ('name contains "%"', set()),
        ("name = 'Cat O''Neil'", {"cat"}),
        ("name starts with 'cat o'", {"cat"}),
        ("name finit par 'RAND'", {"bob"}),
        ("joined_at = 2023-05-02", {"ann"}),  # half past one in Paris
        ("joined_at < 2024-01", {"ann", "bob"}),
        ('joined_at >= "2024-01-01"', {"dan"}),
        ("orders = 0", {"dan"}),
        ("orders >= 2", {"ann", "bob"}),
        ("orders.last_365_days >= 2", {"ann", "bob"}),
        ("orders.last_20_days >= 1", {"ann", "bob", "eve"}),
        ("commandes.20_derniers_jours >= 1", {"ann", "bob", "eve"}),
        ("orders.last_9_days >= 1", {"eve"}),
        ("orders.last_10_days >= 1", {"ann", "eve"}),
        ("orders.last_2_months >= 2", {"ann", "bob"}),
        ("orders.last_9999_years >= 3", {"ann"}),
        ("revenue > 100", {"ann", "cat"}),
        ("revenue.last_90_days > 15", {"ann"}),
        ("ca.90_derniers_jours = 15", {"bob"}),
        ("returns = 1", {"bob"}),
        ("purchase_days = 1", {"bob", "cat", "eve"}),
        ("monetary = 25", {"bob"}),
        ("panier_moyen >= 33.5", {"ann", "cat"}),
        ("days_since_last < 10", {"ann", "eve"}),
        ("days_since_last < 9", {"eve"}),
        ("days_since_last is unknown", {"dan"}),
        ("first_order >= 2024-01-01", {"bob", "eve"}),
        ("last_order < 2024-01-01", {"cat"}),
        ("cohort = 2024-02", {"bob"}),
        ("first_channel = 'shop'", {"ann", "eve"}),
        ("first_channel = 'web'", {"bob"}),
        ("last_channel = 'shop'", {"bob", "eve"}),
        ("customer_id = 'eve'", {"eve"}),
        ('orders.last_365_days >= 3 or (city = "Tours" and orders >= 3)', {"ann"}),
        ('city = "Tours" or city = "Orléans" and age < 40', {"ann"}),
        ('not (city = "Tours" or orders = 0)', {"bob", "cat", "eve"}),
        ("amount_so_far = 1 or age = 30", None),
    ],
)
def test_rules_over_customers(shop, rule, expected):
    if expected is None:
        with pytest.raises(UsageError, match="amount_so_far"):
            customers_matching(shop, rule)
        return
    assert who(shop, rule) == expected
    assert who(shop, f"not ({rule})") == EVERYONE - expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("amount > 20", {"2", "3", "7"}),
        ("montant > 20 and canal = 'web'", {"2", "3"}),
        ("channel != 'web'", {"1", "5", "8"}),
        ("channel is unknown", {"7"}),
        ("date >= 2024-03-01", {"3", "8", "9"}),
        ("kind = 'return'", {"6"}),
        ("customer_id is known", {"1", "2", "3", "4", "5", "6", "7", "8"}),
        ("city = 'Tours'", {"1", "2", "3"}),
        ("city is unknown", {"7", "8", "9"}),
        ("city is known", {"1", "2", "3", "4", "5", "6"}),
        ("not city = 'Tours'", {"4", "5", "6", "7", "8", "9"}),
        ("city = 'Tours' and age = 30 and channel = 'web'", {"2", "3"}),
        ("city = 'Tours' or amount < 0", {"1", "2", "3", "6"}),
        ("orders >= 2 and channel = 'shop'", {"1", "5"}),
        ("first_channel = 'shop'", {"1", "2", "3", "8"}),
        ("category = 'tea'", {"1", "2"}),
        ("category = 'tea' and quantity = 5", {"2"}),
        ("category = 'cup' and quantity = 5", {"9"}),
        ("not category = 'tea'", {"3", "4", "5", "6", "7", "8", "9"}),
        ("category = 'cup' and city = 'Tours'", {"2"}),
        ("order_lines.amount = 7", {"9"}),
    ],
)
def test_conditions_on_orders(shop, rule, expected):
    table = shop.table("orders")
    found = {row["order_id"] for row in shop.rows(table.filter(condition(rule, table, shop)))}
    assert found == expected
    others = table.filter(~condition(rule, table, shop, name="orders"))
    assert {row["order_id"] for row in shop.rows(others)} == {*"123456789"} - expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("quantity > 1", {"b", "d"}),
        ("quantity > 0 and customer_id is known", {"a", "b", "c"}),
        ("channel = 'web'", {"b", "c", "d"}),
        ("channel = 'web' and city = 'Tours' and category = 'cup'", {"c"}),
        ("orders.amount = 30", {"b", "c"}),
        ("amount = 20", {"a", "b"}),
    ],
)
def test_conditions_on_lines(shop, rule, expected):
    table = shop.table("order_lines")
    found = {row["line_id"] for row in shop.rows(table.filter(condition(rule, table, shop)))}
    assert found == expected


def test_a_condition_is_true_or_false_on_each_row(shop):
    table = shop.table("orders")
    for rule in ("channel = 'web'", "channel not in ('web')", "not (channel contains 'w')"):
        rows = shop.rows(table.mutate(met=condition(rule, table, shop)))
        assert {row["met"] for row in rows} <= {True, False}


def test_a_condition_takes_a_table_with_other_columns_and_by_name(shop):
    table = shop.table("order_lines").mutate(channel=ibis.literal("web"))
    rows = shop.rows(table.filter(condition("channel = 'web'", table, shop, name="order_lines")))
    assert len(rows) == 4
    by_name = condition("amount > 20", "orders", shop)
    assert len(shop.rows(shop.table("orders").filter(by_name))) == 3


def test_a_rule_on_segments_is_the_rfm_table(make_book, shop_rows):
    book = make_book(orders=shop_rows)
    expected = {
        row["customer_id"] for row in book.rows(rfm(book).customers) if row["segment"] == "at_risk"
    }
    assert expected
    for rule in ('segment = "at_risk"', 'rfm = "At risk"', "rfm_segment in ('AT RISK')"):
        assert who(book, rule) == expected
    assert who(book, "r = 5 and f >= 4") == {
        row["customer_id"]
        for row in book.rows(rfm(book).customers)
        if row["r"] == 5 and row["f"] >= 4
    }
    with pytest.raises(UsageError, match="at_risk"):
        customers_matching(book, 'segment = "at_rsk"')


def test_a_column_of_the_file_goes_before_a_figure_of_that_name(make_book, shop_rows):
    own = [{"customer_id": f"c{i:03}", "segment": "gold" if i % 2 else "lead"} for i in range(200)]
    book = make_book(orders=shop_rows, customers=own)
    assert who(book, 'segment = "gold"') == {f"c{i:03}" for i in range(1, 200, 2)}
    assert who(book, 'rfm = "lost"') == who(book, 'features.segment = "lost"')
    assert dimension(book, "segment").feature is None
    assert dimension(book, "rfm").feature.name == "segment"


def test_counts_from_other_tables(make_book, orders):
    day = dt.datetime(2024, 3, 1, 12)
    contacts = [
        {"interaction_id": str(i), "customer_id": c, "opened_at": when, "is_complaint": bad}
        for i, (c, when, bad) in enumerate(
            [
                ("a", day, True),
                ("a", day, None),
                ("b", day, False),
                ("b", dt.datetime(2023, 1, 1), True),
            ]
        )
    ]
    book = make_book(
        interactions=contacts,
        orders=[orders("a", "2024-03-02", 1), orders("c", "2024-03-02", 1)],
        events=[{"customer_id": "c", "occurred_at": day, "event": "visit"}],
    )
    assert who(book, "interactions = 2") == {"a", "b"}
    assert who(book, "interactions.last_30_days = 1") == {"b"}
    assert who(book, "complaints.last_30_days = 0") == {"b", "c"}
    assert who(book, "reclamations >= 1") == {"a", "b"}
    assert who(book, "events = 1 and orders = 1") == {"c"}


def test_a_book_without_orders(make_book):
    subs = [{"customer_id": "a", "plan": "gold"}, {"customer_id": "b", "plan": "free"}]
    book = make_book(subscriptions=subs, customers=[{"customer_id": "z", "city": "Tours"}])
    assert who(book, "city is unknown") == {"a", "b"}
    table = book.table("subscriptions")
    assert len(book.rows(table.filter(condition("plan = 'gold'", table, book)))) == 1
    with pytest.raises(UsageError, match="orders"):
        customers_matching(book, "orders > 1")


def test_the_book_decides_the_day(shop):
    early = shop.at(dt.date(2023, 6, 30))
    assert who(early, "days_since_last < 20") == {"cat"}
    assert who(early, "orders = 0") == {"bob", "dan"}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("citty = 'Tours'", "Did you mean “city”"),
        ("city = Tours and age > 3", "city = >>Tours<< and age > 3"),
        ("channel = 'web'", "first_channel"),
        ("zzzzzz = 1", "There are: age,"),
        ("age = 'x'", "number"),
        ("city > 'A'", "text"),
        ("age contains 3", "not text"),
        ("consent = 3", "yes or no"),
        ("consent > yes", "yes or no"),
        ("age", "yes and no"),
        ("first_order = 2024-02", "month"),
        ("first_order > 'demain'", "date"),
        ("orders.last_0_days > 1", "orders.last_0_days"),
        ("orders.last_10_parsecs > 1", "no column"),
        ("city.last_10_days = 'x'", "no column"),
        ("__import__('os')", "comparison"),
        ("age = 1; drop table orders", "end here"),
        ("a.b.c = 1", "a.b.c"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_its_place(shop, rule, says):
    with pytest.raises(UsageError) as caught:
        customers_matching(shop, rule)
    text = caught.value.text("en")
    assert says in text
    assert "\n" not in text
    assert "\n" not in caught.value.text("fr")


def test_the_tables_of_a_rule(shop):
    assert tables_of('city = "Tours" and orders > 1', shop) == {"customers"}
    assert tables_of("channel = 'web' and quantity > 0", shop) == {"orders", "order_lines"}
    assert tables_of("customer_id is known", shop) == {"orders"}


def test_a_rule_is_cut_by_its_tables(shop):
    rule = "city = 'Tours' and channel = 'web' and (quantity > 1 or amount > 3) and orders > 1"
    parts = split(rule, shop)
    assert set(parts) == {"customers", "orders", "order_lines"}
    assert who(shop, parts["customers"]) == {"ann"}
    table = shop.table("orders")
    for name in ("orders", "order_lines"):
        table = table.filter(condition(parts[name], table, shop, name="orders"))
    assert {row["order_id"] for row in shop.rows(table)} == {"2", "3", "4", "6", "9"} - {"6"}


def test_or_does_not_join_unrelated_tables(make_book, orders):
    book = make_book(
        orders=[orders("a", "2024-03-02", 1, channel="web")],
        responses=[{"customer_id": "a", "score": Decimal(9), "responded_on": dt.date(2024, 3, 3)}],
    )
    with pytest.raises(UsageError, match="or"):
        split("channel = 'web' or score > 3", book)
    assert set(split("channel = 'web' and score > 3", book)) == {"orders", "responses"}


@pytest.mark.parametrize(
    ("name", "table", "column"),
    [
        ("city", "customers", "city"),
        ("Ville", "customers", "city"),
        ("CANAL", "orders", "channel"),
        ("category", "order_lines", "category"),
        ("Catégorie", "order_lines", "category"),
        ("amount", "orders", "amount"),
        ("order_lines.amount", "order_lines", "amount"),
        ("segment", "customers", "segment"),
        ("first_channel", "customers", "first_channel"),
        ("cohort", "customers", "cohort"),
        ("orders.last_30_days", "customers", "orders_last_30_days"),
    ],
)
def test_columns_to_break_down_by(shop, name, table, column):
    found = dimension(shop, name)
    assert (found.table, found.column) == (table, column)
    if table == "customers" and name != "segment":
        assert shop.rows(found.customers(shop).select("customer_id", column))


def test_dimensions_prefer_the_table_asked_about_and_name_what_there_is(shop):
    assert dimension(shop, "customer_id", prefer="order_lines").table == "order_lines"
    own = dimension(shop, "customer_id")
    rows = shop.rows(own.customers(shop))
    assert all(row["customer_id"] == row[own.column] for row in rows)
    with pytest.raises(UsageError, match="city"):
        dimension(shop, "citi")
    with pytest.raises(UsageError, match="There are: age,"):
        dimension(shop, "qqqq")


def test_values_of_computed_dimensions(shop):
    def values(name):
        found = dimension(shop, name)
        return {row["customer_id"]: row[found.column] for row in shop.rows(found.customers(shop))}

    assert values("first_channel") == {"ann": "shop", "bob": "web", "cat": None, "eve": "shop"}
    assert values("cohort")["bob"] == dt.date(2024, 2, 1)
