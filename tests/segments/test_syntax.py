"""The rule language: what it reads, what it refuses, and that nothing else comes out of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revoir.errors import UsageError
from revoir.segments.syntax import All, Comparison, Either, Known, Not, Truth, parse

WORDS = [
    "and", "or", "not", "et", "ou", "non", "pas", "in", "dans", "between", "entre", "is", "est",
    "known", "unknown", "vide", "contains", "contient", "ne", "does", "starts", "with",
    "commence", "par", "(", ")", ",", "=", "!=", "<=", ">", "«", "»", "[", "]", "`", "1",
    "-2.5", "01000", "2024-01-01", "2024-02", "2024-99-99", "yes", "faux", "city", "ville",
    "age", "consent", "revenue", "segment", "orders.last_365_days", "first_channel", "amount",
    "joined_at", "category", "cohort", "name", ".", ";--", "orders.last_9999_months",
    "last_channel", "999999999999999", "9999999999999.123456", '"', "'", "'at_risk'", "'Tours'",
    "\x00", "💥", "٣", "ﬁ", "'\\'",
]  # fmt: skip
fragments = st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)


@given(st.one_of(st.text(max_size=200), fragments))
def test_any_text_gives_a_tree_or_a_usage_error(text):
    _answered_or_refused(lambda: parse(text))


def _answered_or_refused(ask):
    refusal = ""
    try:
        ask()
    except UsageError as error:
        refusal = error.text("fr")
    assert "\n" not in refusal


def conditions(depth=3):
    atoms = st.sampled_from(
        ["city = 'Tours'", "age > 3", "age in (1, 2.5)", "consent", "revenue.last_3_months > 99.5",
         "orders >= 9999999999999", "age < -9999999999999.999999", "name contains '\\''%_'",
         "joined_at between 0001-01-01 and 9999-12-31", "segment != 'lost'", "email is unknown",
         "postcode starts with 0", "first_channel in ('web', 'x')", "cohort >= 2024-01",
         "customer_id != 'ann'", "days_since_last not between 3 and 90", "average_order > 0.01",
         "channel = 'web'", "amount > 9999999999999", "category is known", "r > 2"]
    )  # fmt: skip
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            inner.map(lambda a: f"not ({a})"),
            st.tuples(inner, st.sampled_from(["and", "or", "et", "ou"]), inner).map(
                lambda t: f"({t[0]}) {t[1]} {t[2]}"
            ),
        ),
        max_leaves=6,
    )


@pytest.fixture(scope="module")
def book():
    import datetime as dt
    from decimal import Decimal

    import pyarrow as pa

    from revoir.book import Book
    from revoir.engines.connect import memory

    backend = memory(threads=1)
    customers = [
        {"customer_id": c, "city": city, "age": 30, "consent": True, "name": "A'b\\%",
         "email": email, "postcode": "01000", "joined_at": dt.datetime(2024, 1, 1)}
        for c, city, email in (("ann", "Tours", None), ("bob", None, "b@x.fr"))
    ]  # fmt: skip
    sold = [
        {"order_id": str(i), "customer_id": c, "ordered_on": dt.date(2024, 1, 1),
         "ordered_at": dt.datetime(2024, 1, 1), "amount": Decimal("10.0000"), "channel": "web"}
        for i, c in enumerate(["ann", "bob", None])
    ]  # fmt: skip
    lines = [{"order_id": "0", "category": "x", "amount": Decimal(3), "quantity": Decimal(1)}]
    tables = {"customers": customers, "orders": sold, "order_lines": lines}
    made = {n: backend.create_table(n, pa.Table.from_pylist(rows)) for n, rows in tables.items()}
    return Book(made)


@settings(max_examples=150, deadline=None)
@given(st.one_of(fragments, conditions()))
def test_any_rule_is_answered_or_refused(book, text):
    from revoir.segments.rules import condition, customers_matching, split, tables_of

    orders = book.table("orders")
    for ask in (
        lambda: book.rows(customers_matching(book, text)),
        lambda: book.rows(
            orders.filter(condition(text, orders, book)).aggregate(n=lambda t: t.count())
        ),
        lambda: (tables_of(text, book), split(text, book)),
    ):
        _answered_or_refused(ask)


@settings(max_examples=60, deadline=None)
@given(conditions())
def test_a_rule_and_its_negation_share_out_all_rows(book, text):
    from revoir.segments.rules import condition

    orders = book.table("orders")
    met = [
        book.rows(orders.filter(condition(rule, orders, book)).aggregate(n=lambda t: t.count()))[0][
            "n"
        ]
        for rule in (text, f"not ({text})")
    ]
    assert sum(met) == 3


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a = 1 or b = 2 and c = 3", (Either, Comparison, All)),
        ("(a = 1 or b = 2) and c = 3", (All, Either, Comparison)),
        ("not a = 1 and b = 2", (All, Not, Comparison)),
        ("a est connu ou b", (Either, Known, Truth)),
    ],
)
def test_and_binds_closer_than_or(text, tree):
    root = parse(text).root
    assert (type(root), *(type(node) for node in root.nodes)) == tree


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a = ", "missing"),
        ("a = 'x", "quote"),
        ("[a = 1", "square bracket"),
        ("a = 12,5", "12>>,<<5"),
        ("a = 01/02/2024", ">>01/02/2024<<"),
        ("a = 2024-02-30", "calendar"),
        ("a = 12345678901234", "too long"),
        ("a = 1" + "0" * 3000, "too long"),
        ("a = 1" + "0" * 5000, "4,000"),
        ("a = 1e309", "neither"),
        ("a in ()", "missing"),
        ("a in 3", "brackets"),
        ("a between 3", "second value"),
        ("a is 4", "known"),
        ("(" * 100 + "a = 1" + ")" * 100, "deeper"),
        ("not " * 100 + "a = 1", "deeper"),
        (" or ".join(["a=1"] * 300), "200"),
        ("a in (" + ",".join(["1"] * 300) + ")", "200"),
        ("a = '\x00'", "nobody can see"),
        ("a = '\ud800'", "nobody can see"),
        ("a = 1 b", "end here"),
        ("[] = 1", "name"),
        ("'a' = 1", "name of a column"),
        ("a ! 3", "“!”"),
        ("a.b = 3 and", "missing"),
    ],
)
def test_what_cannot_be_read_is_refused(text, says):
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert says in caught.value.text("en")
    assert len(caught.value.text("en")) < 400


def test_two_hundred_comparisons_are_read_and_answered(book):
    from revoir.segments.rules import customers_matching

    rule = " or ".join(f"age = {n}" for n in range(200))
    assert len(book.rows(customers_matching(book, rule))) == 2


def test_the_longest_number_and_name_that_can_be_read():
    tree = parse(f"{'a' * 200} = 9999999999999.123456")
    assert len(tree.root.name.raw) == 200
    for refused in (f"{'a' * 201} = 1", "age = 99999999999999", "age = 0.1234567"):
        with pytest.raises(UsageError):
            parse(refused)


def test_ne_pas_needs_all_its_words():
    assert parse("ville ne contient pas 'x'").root.operator == "not contains"
    for refused in ("ville ne contient 'x'", "ville ne contient le 'x'", "ville ne vaut pas 'x'"):
        with pytest.raises(UsageError):
            parse(refused)


def test_where_a_comparison_stands_ends_with_its_last_word():
    """An error marks the comparison in question, not the word after it."""
    text = "city = 'Tours' and age in (1, 2) and age > 3"
    marked = [text[atom.span.start : atom.span.end] for atom in _atoms(parse(text).root)]
    assert marked == ["city = 'Tours'", "age in (1, 2)", "age > 3"]
    text = "name starts with 'a' or age between 1 and 2"
    marked = [text[atom.span.start : atom.span.end] for atom in _atoms(parse(text).root)]
    assert marked == ["name starts with 'a'", "age between 1 and 2"]


def _atoms(tree):
    if isinstance(tree, Comparison):
        return [tree]
    return [atom for part in tree.nodes for atom in _atoms(part)]
