"""Next purchases on real data: the last part hidden, expected, and held against what came."""

import pytest

from revoir.book import read
from revoir.models.next_purchase import next_purchases

pytestmark = pytest.mark.reference

SHOPS = {
    "cdnow/CDNOW_master.txt": 23_570,
    "online_retail/online_retail.parquet": 4_338,
    "superstore/superstore.csv": 793,
}


@pytest.mark.parametrize("name", SHOPS)
def test_the_day_is_nearer_than_by_simple_rules_and_intervals_hold(reference_data, name):
    found = next_purchases(read(reference_data / name))
    assert found.customers.num_rows == SHOPS[name]
    record = found.record
    assert record.beats_rules
    assert record.error_days["model"] < 0.8 * record.error_days["own_mean"]
    assert record.error_days["model"] < 0.8 * record.error_days["shop_median"]
    for covered in record.covered:
        # Days are whole and worlds change: a little wide rather than too narrow.
        assert covered.level - 0.03 < covered.share < covered.level + 0.06
    # No model of gaps knows that a shop sells more than it used to, or that Christmas comes.
    assert record.awaited[-1].returned == pytest.approx(record.awaited[-1].expected, rel=0.25)
    assert record.overdue_returned / record.overdue < record.on_time_returned / record.on_time
