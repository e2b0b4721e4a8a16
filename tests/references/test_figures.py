"""Reference figures of the real data, by the command line, from the files as they are."""

import json

import pytest

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def revoir(command):
    """Gives what a command prints as JSON."""

    def run(*arguments: str):
        done = command(*arguments, "--format", "json")
        assert done.returncode in (0, 1), done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="module")
def value(revoir):
    """Gives the value of a metric."""

    def run(*arguments: str) -> float:
        (row,) = revoir("metric", *arguments)
        return row["value"]

    return run


CLEAN = "quantity > 0 and unit_price > 0 and customer_id is known"


def test_cdnow_totals(revoir, value, reference_data):
    path = str(reference_data / "cdnow/CDNOW_master.txt")
    held = revoir("check", path)
    assert held["files"][0]["rows_in"] == held["files"][0]["rows_accepted"] == 69_659
    assert held["tables"]["orders"]["customers"] == 23_570
    assert held["tables"]["orders"]["amount"] == 2_500_315.63
    assert value("customers", path) == 23_570
    assert value("orders", path) == 69_659
    assert value("revenue", path) == 2_500_315.63


def test_cdnow_repeaters_of_the_published_sample(revoir, reference_data):
    """Fader, Hardie & Lee (2005): 2,357 customers, 946 of whom came back by 1997-09-30."""
    path = str(reference_data / "cdnow/CDNOW_sample.txt")
    (row,) = revoir("metric", "repurchase_rate", path, "--to", "1997-10-01")
    assert (row["numerator"], row["denominator"]) == (946, 2_357)


def test_online_retail_raw_and_cleaned_totals(revoir, value, reference_data):
    path = str(reference_data / "online_retail/online_retail.parquet")
    held = revoir("check", path)
    assert held["files"][0]["rows_in"] == 541_909
    assert held["tables"]["orders"]["orders"] == 25_900
    assert held["tables"]["orders"]["customers"] == 4_372
    assert value("revenue", path) == pytest.approx(9_747_747.93, abs=0.005)
    assert value("revenue", path, "--where", CLEAN) == pytest.approx(8_911_407.90, abs=0.005)
    assert value("customers", path, "--where", CLEAN) == 4_338
    assert value("customers", path) == 4_338


def test_online_retail_december_cohort(revoir, reference_data):
    path = str(reference_data / "online_retail/online_retail.parquet")
    cells = revoir("cohorts", path)
    found = {
        cell["age"]: (cell["numerator"], cell["size"])
        for cell in cells
        if cell["cohort_start"] == "2010-12-01"
    }
    assert found[0] == (885, 885)
    assert found[1] == (324, 885)


def test_telco_churn_by_contract(revoir, reference_data):
    path = str(reference_data / "telco/Telco-Customer-Churn.csv")
    (row,) = revoir("metric", "churn_rate", path)
    assert (row["numerator"], row["denominator"]) == (1_869, 7_043)
    assert row["value"] == pytest.approx(0.2654, abs=5e-5)
    by = {
        row["Contract"]: row["value"] for row in revoir("metric", "churn", path, "--by", "Contract")
    }
    assert by == {
        "Month-to-month": pytest.approx(0.4271, abs=5e-5),
        "One year": pytest.approx(0.1127, abs=5e-5),
        "Two year": pytest.approx(0.0283, abs=5e-5),
    }


def test_jardinerie_nps(revoir, reference_data):
    path = str(reference_data / "jardinerie_nps/nps.csv")
    (row,) = revoir("metric", "nps", path)
    assert round(row["value"], 2) == 53.61
    assert row["denominator"] == 6_782
    assert row["parts"]["promoters"] == 4_249
    assert row["parts"]["detractors"] == 613


def test_superstore(value, reference_data):
    path = str(reference_data / "superstore/superstore.csv")
    assert value("customers", path) == 793
    assert value("orders", path) == 5_009
