"""Recommendations on real data: beside popularity, and without what is no product."""

import pytest

from revoir.book import read
from revoir.models.baskets import associations
from revoir.models.recommend import recommend

pytestmark = pytest.mark.reference


def test_online_retail(reference_data):
    book = read(reference_data / "online_retail/online_retail.parquet")
    found = recommend(book)
    mine, popular = found.record.of(found.record.method.name), found.record.of("popularity")
    assert found.record.method.kind == "ease"
    assert mine.ndcg > 2.5 * popular.ndcg
    assert mine.ahead[1][0] > 0.2
    assert mine.coverage > 50 * popular.coverage
    shown = set(found.products["product_id"].to_pylist())
    assert not shown & {"POST", "M", "m", "D", "C2", "DOT", "BANK CHARGES", "AMAZONFEE", "S", "B"}
    assert found.products.num_rows == 5 * 4_338

    pairs = associations(book)
    code = [one.product_id for one in pairs.sold.products].index("85123A")  # white hanging heart
    names = {one.product_id: one.label for one in pairs.sold.products}
    joining = [names[one.other_id] for one in pairs.joining(code, 2)]
    assert all("HANGING HEART" in name for name in joining)
    for pair in pairs.strongest(20):
        assert pair.together >= 10
        assert pair.lift < pair.raw_lift


def test_completejourney(reference_data):
    """Households come back for what they had; nothing new is told better than what sells best."""
    book = read(reference_data / "completejourney/transactions_sample.csv.gz")
    record = recommend(book).record
    assert record.method.kind == "ease"
    assert record.of("ease").ahead[1][0] > 0
    new = recommend(book, new_only=True).record
    assert new.method.name == "popularity"
    assert "clearly better" in new.sentences()[-1].text("en")
