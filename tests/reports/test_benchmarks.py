import pytest

from revoir.errors import InputError, UsageError
from revoir.language import written
from revoir.metrics.benchmarks import fitting, own_figures, published
from revoir.metrics.registry import metric_named
from revoir.sectors import SECTORS, sector_named


def test_every_figure_has_a_publisher_a_page_and_a_grade():
    for row in published():
        assert row.publisher
        assert row.url.startswith("http")
        assert row.grade in "AB"
        assert row.low is not None or row.high is not None
        assert row.sector == "all" or row.sector in SECTORS
        assert bool(dict(row.detail)["en"]) == bool(dict(row.detail)["fr"])


def test_a_figure_that_fits_names_a_metric_of_the_registry():
    for row in published():
        if row.fits:
            assert metric_named(row.fits).name == row.fits


def test_shares_are_fractions_and_scores_are_scores():
    for row in published():
        for value in (row.low, row.high):
            if value is not None and row.unit == "share":
                assert 0 <= value <= 1, row
            if value is not None and row.unit == "points":
                assert -100 <= value <= 100, row


def test_a_published_figure_comes_out_as_published():
    # Bain & Company, 2024: 3.6 % of French bank customers changed their main bank in the year.
    newest = fitting("churn_rate", sector="banking", length="year")[0]
    assert newest.low == newest.high == pytest.approx(0.036)
    assert written(newest.source(), "fr") == "Bain & Company, Revue Banque, France, 2024"
    assert written(newest.shown(), "fr") == "3,6\xa0%"


@pytest.mark.parametrize("length", ["month", "quarter", "week", None])
def test_another_period_has_no_figure(length):
    assert fitting("churn_rate", sector="banking", length=length) == []


def test_another_sector_has_no_figure():
    assert fitting("retention_rate", sector="fashion", length="year") == []
    assert fitting("retention_rate", sector=None, length="year") == []


def test_satisfaction_on_another_scale_is_not_compared():
    assert fitting("csat", sector="retail", length="year") == []


def test_amounts_are_compared_in_their_currency():
    assert fitting("average_order_value", sector="ecommerce", currency="EUR")
    assert not fitting("average_order_value", sector="ecommerce", currency="USD")


def test_a_part_of_a_sector_comes_after_the_whole():
    found = fitting("nps", sector="retail", length="year")
    assert [row.high for row in found] == [29, 28.4, 62]


def test_sectors_answer_to_french_and_english_names():
    assert sector_named("Restauration") == sector_named("restaurants") == "restaurants"
    with pytest.raises(UsageError):
        sector_named("astrology")


def test_own_figures_come_first(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("- {metric: nps, value: 40, publisher: Our union, year: 2025}\n", "utf-8")
    found = fitting("nps", sector="retail", length="year", own=own_figures(path))
    assert found[0].publisher == "Our union"
    assert found[0].grade == "own"


@pytest.mark.parametrize("text", ["a: 1", "- 3", "- {metric: nps}", "- {value: 3}", "[", "\x00"])
def test_own_figures_that_are_not_a_list_of_figures_are_refused(tmp_path, text):
    path = tmp_path / "own.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError):
        own_figures(path)
