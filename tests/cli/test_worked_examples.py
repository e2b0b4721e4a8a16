"""The worked examples of the product's definitions, from files, by the command line."""

import json
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def revoir(command):
    """Gives the rows that a command prints as JSON."""

    def run(*arguments: str):
        done = command(*arguments, "--format", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


QUARTER = ("--from", "2024-01-01", "--to", "2024-04-01")


@pytest.fixture
def subscriptions(tmp_path: Path) -> str:
    """1,000 at the start of the quarter; 300 leave, 200 join."""
    lines = ["id_client;date_debut;date_fin;mensualite"]
    lines += [f"A{n};01/06/2023;{'12/02/2024' if n < 300 else ''};10,00" for n in range(1000)]
    lines += [f"N{n};05/03/2024;;10,00" for n in range(200)]
    path = tmp_path / "abonnements.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_retention_of_1000_to_900_with_200_new_is_70_percent(revoir, subscriptions):
    (row,) = revoir("metric", "retention_rate", subscriptions, *QUARTER, "--as-of", "2024-03-31")
    assert row["value"] == 0.7
    assert (row["numerator"], row["denominator"]) == (700, 1000)
    assert row["parts"] == {
        "start": 1000,
        "kept": 700,
        "lost": 300,
        "new": 200,
        "returned": 0,
        "end": 900,
    }
    assert row["complete"] is True
    assert (row["period_start"], row["period_end"]) == ("2024-01-01", "2024-04-01")


def test_churn_is_the_rest(revoir, subscriptions):
    (row,) = revoir("metric", "churn_rate", subscriptions, *QUARTER, "--as-of", "2024-03-31")
    assert row["value"] == 0.3


def test_retention_from_orders(revoir, tmp_path):
    """The same S, E and N from orders, under a window of 92 days."""
    lines = ["client,date,montant"]
    lines += [f"A{n},2023-12-10,20" for n in range(1000)]
    lines += [f"A{n},2024-02-15,20" for n in range(700)]
    lines += [f"N{n},2024-03-01,20" for n in range(200)]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(lines) + "\n")
    (row,) = revoir(
        "metric", "retention", str(path), *QUARTER, "--activity-days", "92", "--as-of", "2024-03-31"
    )
    assert (row["value"], row["parts"]["end"], row["parts"]["new"]) == (0.7, 900, 200)


def test_churn_of_1250_in_5000_is_25_percent(revoir, tmp_path):
    lines = ["customer_id,start_date,end_date"]
    lines += [f"C{n},2023-01-01,{'2024-02-01' if n < 1250 else ''}" for n in range(5000)]
    path = tmp_path / "subscriptions.csv"
    path.write_text("\n".join(lines) + "\n")
    (row,) = revoir("metric", "churn_rate", str(path), *QUARTER, "--as-of", "2024-03-31")
    assert (row["value"], row["numerator"], row["denominator"]) == (0.25, 1250, 5000)


def test_repurchase_of_2000_in_5000_is_40_percent(revoir, tmp_path):
    lines = ["customer_id,order_date,amount"]
    lines += [f"C{n},2024-01-10,30" for n in range(5000)]
    lines += [f"C{n},2024-02-20,30" for n in range(2000)]
    path = tmp_path / "orders.csv"
    path.write_text("\n".join(lines) + "\n")
    (row,) = revoir("metric", "repurchase_rate", str(path))
    assert (row["value"], row["numerator"], row["denominator"]) == (0.4, 2000, 5000)


def test_nps_from_a_file_of_answers(revoir, tmp_path):
    """60 promoters, 25 passives and 15 detractors of 100 answers → 45; blanks are not answers."""
    scores = [10] * 40 + [9] * 20 + [8] * 15 + [7] * 10 + [6] * 10 + [0] * 5 + [""] * 50
    lines = ["date;note_nps;commentaire", *[f"03/01/2024;{score};bien" for score in scores]]
    path = tmp_path / "avis.csv"
    path.write_text("\n".join(lines) + "\n")
    (row,) = revoir("metric", "nps", str(path))
    assert row["value"] == pytest.approx(45)
    assert row["denominator"] == 100
