"""Recommendations in drawn worlds: what is found, what is left out, and what is honestly said."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from revoir.errors import UsageError
from revoir.models.assortment import assortment
from revoir.models.because import why
from revoir.models.recommend import recommend
from revoir.models.recommend_record import CUSTOMERS_MIN, Stretch, try_methods
from revoir.models.recommender import Method

START = dt.date(2024, 1, 1)
DAYS = 300
TASTES, EACH = 6, 10


def world(taste, *, customers=500, seed=1, again=0.3, repeat=0.0):
    """Order lines of customers who mostly buy products of their own taste, or of none.

    Args:
        taste: Share of purchases from the ten products of one's taste; the others are from all 60,
            some of which are more popular.
        customers: How many.
        seed: Chooses the draw.
        again: Probability that a product already bought may be drawn again.
        repeat: Share of purchases that repeat what was bought before.
    """
    draw = np.random.default_rng(seed)
    popular = draw.dirichlet(np.full(TASTES * EACH, 0.7))
    rows = []
    for customer in range(customers):
        mine = customer % TASTES
        bought = []
        for day in np.sort(draw.integers(0, DAYS, 2 + draw.poisson(8))).tolist():
            if bought and draw.random() < repeat:
                product = bought[draw.integers(len(bought))]
            elif draw.random() < taste:
                product = mine * EACH + int(draw.integers(EACH))
            else:
                product = int(draw.choice(TASTES * EACH, p=popular))
            if product in bought and draw.random() >= max(again, repeat):
                continue
            bought.append(product)
            rows.append((customer, product, day))
    return rows


def table(rows, **more):
    customer, product, day = (list(one) for one in zip(*rows, strict=True))
    columns = {
        "order_id": [f"o{c}-{d}" for c, d in zip(customer, day, strict=True)],
        "customer_id": [f"c{one:04}" for one in customer],
        "ordered_on": pa.array([START + dt.timedelta(days=one) for one in day], pa.date32()),
        "kind": ["purchase"] * len(rows),
        "product_id": [f"p{one:03}" for one in product],
        "category": [f"taste {one // EACH}" for one in product],
        "quantity": [1.0] * len(rows),
        "amount": [10.0] * len(rows),
    }
    return pa.table(columns | more)


@pytest.fixture
def shop(make_book):
    """Makes a book of a world."""

    def make(*arguments, **options):
        return make_book(order_lines=table(world(*arguments, **options)))

    return make


def test_taste_is_found_and_popularity_beaten(shop):
    book = shop(0.9)
    found = recommend(book)
    assert found.record.method.kind in ("ease", "cosine")
    assert found.record.of(found.record.method.name).ahead[1][0] > 0
    mine = [
        row["category"] == f"taste {int(row['customer_id'][1:]) % TASTES}"
        for row in found.products.to_pylist()
    ]
    assert np.mean(mine) > 0.9
    assert "popularity" in " ".join(one.text("en") for one in found.record.sentences())


@pytest.mark.parametrize("every", [1, 2], ids=["none", "half"])
def test_products_without_a_category_can_be_stored(make_book, tmp_path, every):
    """Parquet refused them, so that a shop without categories had no predictions at all."""
    rows = world(0.9)
    given = [None if product % every == 0 else "taste" for _, product, _ in rows]
    found = recommend(make_book(order_lines=table(rows, category=pa.array(given, pa.string()))))
    pq.write_table(found.products, tmp_path / "products.parquet")
    told = pq.read_table(tmp_path / "products.parquet").to_pylist()
    assert told == found.products.to_pylist()
    for row in told:
        assert row["category"] == (None if int(row["product_id"][1:]) % every == 0 else "taste")


def test_where_there_is_no_taste_popularity_wins_and_it_is_said(shop):
    record = recommend(shop(0.0)).record
    assert record.method.name == "popularity"
    assert "clearly better than popularity" in record.sentences()[-1].text("en")


def test_what_is_bought_again_is_recommended_again(shop):
    """In a shop of habits the best method counts what was bought before; without, it does not."""
    habits = recommend(shop(0.3, repeat=0.7))
    assert habits.record.method.again
    assert np.mean([row["days_before"] > 0 for row in habits.products.to_pylist()]) > 0.5
    once = recommend(shop(0.9, again=0.0))
    assert not any(row["days_before"] for row in once.products.to_pylist())
    assert "who bought them on one day alone" in " ".join(note.text("en") for note in once.notes)


def test_only_new_products(shop):
    found = recommend(shop(0.3, repeat=0.7), new_only=True)
    assert found.record.new_only
    assert {one.method.again for one in found.record.trials} == {None}
    assert not any(row["days_before"] for row in found.products.to_pylist())


def test_the_choice_knows_nothing_of_the_days_it_is_tested_on(make_book):
    rows = world(0.6)
    last = max(day for *_, day in rows)
    record = try_methods(assortment(make_book(order_lines=table(rows))))
    cutoff = (record.cutoff - START).days
    assert last - cutoff == record.hidden_days
    shuffled = [(c, (p * 7 + 3) % 60 if day > cutoff else p, day) for c, p, day in rows]
    other = try_methods(assortment(make_book(order_lines=table(shuffled))))
    assert [one.method for one in other.trials] == [one.method for one in record.trials]
    assert other.method == record.method
    assert other.of("ease").ndcg != record.of("ease").ndcg


def test_the_truth_of_a_stretch_is_what_was_bought_after_it(make_book):
    rows = world(0.6, customers=80)
    sold = assortment(make_book(order_lines=table(rows)))
    first = (START - dt.date(1970, 1, 1)).days
    stretch = Stretch.of(sold, first + 200, 40)
    shelved = [sold.products[n].product_id for n in stretch.on_shelf.product]
    for n, customer in enumerate(stretch.customers.tolist()):
        mine = [(p, day) for c, p, day in rows if c == int(sold.customers[customer].as_py()[1:])]
        before = {f"p{p:03}" for p, day in mine if day <= 200}
        after = {f"p{p:03}" for p, day in mine if 200 < day <= 240}
        assert before
        assert after
        assert {shelved[place] for place in stretch.truth[n] if place >= 0} == after & {*shelved}
        assert len(stretch.truth[n]) == len(after)
        assert len(stretch.fresh[n]) == len(after - before)


def test_everybody_gets_their_products_and_one_customer_the_same(shop):
    book = shop(0.9)
    found = recommend(book, top=3)
    ranks = found.products["rank"].to_pylist()
    assert ranks == [1, 2, 3] * len(assortment(book).customers)
    whole = found.products.to_pylist()
    alone = recommend(book, top=3, customers=["c0007", "c0002"]).products.to_pylist()
    wanted = [row for who in ("c0007", "c0002") for row in whole if row["customer_id"] == who]
    assert alone == wanted


def test_categories_and_products_are_left_out(shop):
    found = recommend(shop(0.9), exclude=["Taste 2", "p001"])
    shown = {(row["category"], row["product_id"]) for row in found.products.to_pylist()}
    assert not any(category == "taste 2" or product == "p001" for category, product in shown)
    assert "11 products are left out" in " ".join(note.text("en") for note in found.notes)


def test_what_the_company_never_recommends_is_left_out(shop):
    """A category that the data have no more is told, and stops nothing."""
    book = shop(0.9).with_settings(not_recommended=("Taste 2", "p001", "Wine"))
    found = recommend(book)
    assert found.products.equals(recommend(shop(0.9), exclude=["Taste 2", "p001"]).products)
    notes = " ".join(note.text("en") for note in found.notes)
    assert "11 products are left out" in notes
    assert "not in the data under this name: Wine" in notes


def test_what_is_no_longer_sold_is_left_out(make_book):
    rows = [(c, p, day) for c, p, day in world(0.9) if not (p == 20 and day > 60)]
    found = recommend(make_book(order_lines=table(rows)))
    assert "p020" not in found.products["product_id"].to_pylist()
    assert "no longer sold" in " ".join(note.text("en") for note in found.notes)


def test_services_are_left_out_and_named(make_book):
    rows = world(0.9)
    rows += [(customer, 999, day) for customer, _, day in rows[::2]]
    names = ["Postage" if product == 999 else f"Nice {product}" for _, product, _ in rows]
    found = recommend(make_book(order_lines=table(rows, product=names)))
    assert "Postage" not in found.products["product"].to_pylist()
    assert "Postage" in " ".join(note.text("en") for note in found.notes)


def test_reasons_in_words():
    row = {"days_before": 0, "because_1": None, "because_2": None}
    assert why(row).text("en") == "sells best now"
    assert why(row | {"because_1": "Tea"}).text("en") == "because they bought “Tea”"
    both = why(row | {"because_1": "Tea", "because_2": "Cup"})
    assert both.text("en") == "because they bought “Tea” and “Cup”"
    assert why(row | {"days_before": 2}).text("en") == "bought it on 2 days before"


def test_without_products_there_is_no_recommendation(make_book):
    bare = table(world(0.5, customers=20)).drop(["product_id"])
    found = recommend(make_book(order_lines=bare))
    assert found.record is None
    assert "names a product" in found.reason.text("en")
    assert found.products.num_rows == 0


def test_few_customers_and_short_pasts_are_told(make_book):
    rows = [(c, p % 9, day) for c, p, day in world(0.9, customers=CUSTOMERS_MIN - 5)]
    few = recommend(make_book(order_lines=table(rows)))
    assert "Too few customers" in few.record.sentences()[0].text("en")
    assert few.record.method.name == "popularity"
    assert few.products.num_rows
    short = [(c, p, day % 20) for c, p, day in world(0.9, customers=100)]
    found = recommend(make_book(order_lines=table(short)))
    assert "only 20 days" in found.record.sentences()[0].text("en")
    lonely = [(c, c, day) for c, _, day in world(0.9, customers=60)]
    found = recommend(make_book(order_lines=table(lonely)))
    assert "No product has 5 buyers." in found.reason.text("en")
    assert found.products.num_rows == 0


def test_a_method_of_ones_own(shop):
    book = shop(0.9)
    popular = recommend(book, method=Method("none", again=None)).products.to_pylist()
    assert {why(row).text("en") for row in popular} == {"sells best now"}


def test_wrong_usage_is_told(shop):
    book = shop(0.9, customers=60)
    with pytest.raises(UsageError, match="nowhere"):
        recommend(book, exclude=["nowhere"])
    with pytest.raises(UsageError, match="taste 0"):
        recommend(book, exclude=["nowhere"])
    with pytest.raises(UsageError, match="c9999"):
        recommend(book, customers=["c0001", "c9999"])
    with pytest.raises(UsageError, match="0 products"):
        recommend(book, top=0)


def test_where_nothing_is_sold_any_more_it_is_said(make_book):
    """Two years after the last sale nothing was listed, and nothing said why."""
    book = make_book(order_lines=table(world(0.9)))
    assert recommend(book).reason is None
    late = recommend(book.at(START + dt.timedelta(days=DAYS + 730)))
    assert not late.products.num_rows
    assert "none is left to recommend" in late.reason.text("en")


def test_where_ten_products_are_all_there_are_nothing_is_tested(make_book):
    """Of 283 customers 283 had bought one of ten products, in a shop of four."""
    rows = [(customer, product % 4, day) for customer, product, day in world(0.9)]
    record = recommend(make_book(order_lines=table(rows))).record
    assert not record.trials
    assert "Only 4 products can be recommended" in record.reason.text("en")


def test_what_the_shop_has_none_of_is_not_recommended(make_book):
    lines = table(world(0.9))
    before = recommend(make_book(order_lines=lines))
    gone = before.products["product_id"].to_pylist()[0]
    stock = [{"product_id": gone, "stock": 0.0}, {"product_id": "other", "stock": 3.0}]
    found = recommend(make_book(order_lines=lines, products=stock))
    assert gone not in set(found.products["product_id"].to_pylist())
    assert any("1 of them is out of stock" in note.text("en") for note in found.notes)
    # What is in stock today says nothing of the days that the record looks back to.
    assert found.record.method == before.record.method


def test_categories_of_the_list_of_products_can_be_left_out(make_book):
    lines = table(world(0.9)).drop_columns(["category"])
    listed = [{"product_id": f"p{n:03}", "category": "odd" if n % 2 else "even"} for n in range(60)]
    book = make_book(order_lines=lines, products=listed)
    found = recommend(book, exclude=["odd"]).products
    codes = {code.strip("p") for code in set(found["product_id"].to_pylist())}
    assert codes
    assert all(int(code) % 2 == 0 for code in codes)
    assert set(found["category"].to_pylist()) == {"even"}
