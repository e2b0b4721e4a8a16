"""Learning and believing: nothing from noise, the rule where it is enough, and no leak."""

from dataclasses import replace

import lightgbm
import numpy as np
import pyarrow as pa
import pytest

from revoir.models.classifiers import Design, fit_logistic, fit_rule, fit_trees, together
from revoir.models.departures import cutoffs, definition_of
from revoir.models.features.compute import choose
from revoir.models.learning import (
    FOLDS,
    Examples,
    folds_of,
    learn,
    marks_of,
    no_better,
    too_few,
)
from revoir.models.matrix import OTHER, Matrix, levels_of, matrix_of
from revoir.models.snapshots import Snapshot, snapshots
from revoir.models.trials import listed, trial
from revoir.models.validation import auc, fit_line, judge, log_odds, sigmoid

RULE = ("days_since_last", "lateness", "purchase_days")


def examples(seed, n, *, figures=1, strength=1.0, interaction=0.0):
    """Customers whose log-odds of leaving are a sum of some of six figures, and a product."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, (n, 6)).astype(np.float32)
    values[rng.random((n, 6)) < 0.05] = np.nan
    filled = np.nan_to_num(values)
    margin = strength * filled[:, :figures].sum(axis=1) + interaction * filled[:, 0] * filled[:, 1]
    left = rng.random(n) < sigmoid(margin - 0.5)
    names = tuple("abcdef")
    folds = np.arange(n) % FOLDS
    worth = np.full(n, np.nan)
    return Examples(Matrix(values, names, {}), left, worth, np.arange(n), folds, (n,)), margin


def test_folds_are_even_and_the_same_for_a_customer_anywhere():
    """Also of customers of several rows, of alike ones, and with a last bit that differs."""
    rng = np.random.default_rng(0)
    values = rng.integers(0, 40, (30_000, 2)) / 7
    customer = rng.permutation(np.concatenate([np.arange(20_000), np.arange(10_000)]))
    folds = folds_of(customer, marks_of(values))
    whose = np.empty(20_000, int)
    whose[customer] = folds
    assert (folds == whose[customer]).all()
    assert (np.bincount(whose) == 4_000).all()
    order, names = rng.permutation(30_000), rng.permutation(20_000)[customer]
    again = np.empty(30_000, int)
    again[order] = folds_of(names[order], marks_of(values[order] * (1 + 1e-15)))
    assert (np.bincount(again) == np.bincount(folds)).all()
    told_apart = np.bincount(customer)[customer] == 2  # no two customers have the same two rows
    assert (again == folds)[told_apart].mean() > 0.99
    assert (folds_of(customer, marks_of(values, seed=1)) != folds).mean() > 0.7


def test_what_is_learned_comes_near_the_truth():
    known, _ = examples(1, 6_000, figures=3, interaction=1.0)
    fresh, margin = examples(2, 6_000, figures=3, interaction=1.0)
    best = auc(margin, fresh.left).value
    learned = learn(known, tuple("abcdef"))
    found = {
        name: auc(learned.named(name).probabilities(fresh.matrix), fresh.left).value
        for name in ("rule", "logistic", "trees", "both")
    }
    assert found["trees"] > best - 0.03
    assert found["logistic"] < best - 0.03  # no line has the product of two figures
    assert found["rule"] < found["logistic"] - 0.05
    assert learned.chosen in ("trees", "both")
    assert no_better(learned, None) is None


def test_probabilities_are_calibrated_on_others():
    known, _ = examples(3, 8_000, figures=2)
    fresh, _ = examples(4, 20_000, figures=2)
    learned = learn(known, tuple("abcdef"))
    for name in ("rule", "logistic", "trees", "both"):
        judged = judge(learned.named(name).probabilities(fresh.matrix), fresh.left)
        assert 0.9 < judged.slope.value < 1.1, name
        assert judged.expected == pytest.approx(judged.left, rel=0.04), name


def test_the_rule_is_believed_where_it_is_all_there_is():
    """Only one figure matters: in most worlds nothing beats it beyond chance."""
    refused = 0
    for seed in range(5):
        learned = learn(examples(seed + 10, 1_500)[0], tuple("abcdef"))
        assert learned.rule.column == "a"
        refused += no_better(learned, None) is not None
    assert refused >= 4


def test_shuffled_labels_teach_nothing():
    known, _ = examples(5, 10_000, figures=3, strength=2.0)
    rng = np.random.default_rng(6)
    blind = Examples(known.matrix, rng.permutation(known.left), known.worth, known.customer,
                     known.folds, known.counts)  # fmt: skip
    learned = learn(blind, tuple("abcdef"))
    fresh, _ = examples(7, 20_000, figures=3, strength=2.0)
    for name in ("rule", "logistic", "trees", "both"):
        said = learned.named(name)
        assert auc(said.held_out, blind.left).value == pytest.approx(0.5, abs=0.02)
        assert np.ptp(said.probabilities(fresh.matrix)) < 0.3
    # The test may be of other customers, whom a figure may tell apart: it is said of whom it is so.
    assert "of the customers learned from, no feature" in no_better(learned, None).text("en")


def test_no_learner_is_believed_of_shuffled_labels():
    """In 10 of 60 shuffles the luckiest of three beat a rule that says more than there is."""
    believed = 0
    for seed in range(12):
        known, _ = examples(seed + 1_000, 2_000, figures=3, strength=2.0)
        shuffled = np.random.default_rng(seed + 5_000).permutation(known.left)
        blind = Examples(known.matrix, shuffled, known.worth, known.customer, known.folds,
                         known.counts)  # fmt: skip
        believed += no_better(learn(blind, tuple("abcdef")), None) is None
    assert believed == 0


@pytest.fixture(scope="module")
def looked_at(world):
    """The world on the days whose departures are known."""
    definition = definition_of(world)
    days = cutoffs(world, definition)
    choice = choose(world, days[-1])
    return definition, choice, snapshots(world, definition, choice, days)


@pytest.fixture(scope="module")
def seen(looked_at):
    """What is learned from them."""
    definition, choice, looks = looked_at
    return trial(looks, definition, choice, RULE, seed=0)


def test_shuffled_labels_teach_nothing_of_a_later_period(looked_at, seen):
    """The whole way from the book: features of earlier days, tested on the latest."""
    definition, choice, looks = looked_at
    rng = np.random.default_rng(8)
    blind = [
        Snapshot(one.day, one.table.drop("left").append_column("left", [rng.permutation(one.left)]))
        for one in looks
    ]
    tried = trial(blind, definition, choice, RULE, seed=0)
    assert tried.tested_on == "later"
    for said in tried.probabilities.values():
        assert auc(said, tried.left).value == pytest.approx(0.5, abs=0.02)
    assert tried.used == "rule"
    # With the labels that are theirs, the same customers can be told apart.
    assert auc(seen.probabilities["both"], seen.left).value > 0.65


def test_nothing_of_the_test_is_learned_from(looked_at, seen):
    """What was learned does not depend on the day of the test, nor on days not over by then."""
    definition, choice, looks = looked_at
    window = definition.window_days
    late = [one for one in looks if (looks[0].day - one.day).days < window]
    assert len(late) > 1
    lies = [Snapshot(one.day, one.table.drop("left").append_column("left", [~one.left]))
            if one in late else one for one in looks]  # fmt: skip
    fooled = trial(lies, definition, choice, RULE, seed=0)
    for name, said in seen.probabilities.items():
        assert (fooled.probabilities[name] == said).all()


def test_too_few_customers_are_told():
    known, _ = examples(1, 40)
    few = Examples(known.matrix, np.arange(40) < 9, known.worth, known.customer, known.folds, (40,))
    assert "Only 9 customers left" in too_few(few, 10).text("en")
    with pytest.raises(ValueError, match="too few"):
        learn(few, ("a",))
    some = Examples(known.matrix, np.arange(40) < 12, known.worth, known.customer, known.folds,
                    (40,))  # fmt: skip
    # A file that says who left has no days to look at.
    whole = replace(few, dated=False)
    assert too_few(whole, 10).text("en") == "Only 9 customers left, by the file; 10 are needed."
    gone = replace(whole, left=~whole.left)
    assert too_few(gone, 10).text("en") == "Only 9 customers stayed, by the file; 10 are needed."
    learned = learn(some, ("a",))
    assert (learned.learners, learned.chosen) == ({}, None)
    assert "50 are needed" in no_better(learned, None).text("en")


def test_trees_are_the_same_every_time():
    known, _ = examples(9, 3_000, figures=2)
    again = fit_trees(known.matrix, known.left, known.folds, 0)
    found = fit_trees(known.matrix, known.left, known.folds, 0)
    assert (found.held_out == again.held_out).all()


def test_no_thread_of_a_tree_waits_for_another(monkeypatch):
    """Threads wait busily: beside other work on the machine, two took ten times as long as one."""
    known, _ = examples(9, 500, figures=2)
    threads, train = [], lightgbm.train

    def watched(settings, known, *arguments, **options):
        threads.extend((settings["num_threads"], known.params["num_threads"]))
        return train(settings, known, *arguments, **options)

    monkeypatch.setattr(lightgbm, "train", watched)
    fit_trees(known.matrix, known.left, known.folds, 0)
    assert threads
    assert set(threads) == {1}


def test_nobody_calibrates_their_own_probability():
    known, _ = examples(14, 400, figures=1)
    rule = fit_rule(known.matrix, known.left, known.folds, ["a"])
    for fold in range(FOLDS):
        out = known.folds == fold
        line = fit_line(rule.held_out[~out], known.left[~out])
        expected = sigmoid(line.at(rule.held_out[out]))
        assert rule.held_out_probabilities[out] == pytest.approx(expected)
        # What is learned from the others alone, all of them at once, is what is said of these.
        seen = fit_rule(known.matrix.rows(~out), known.left[~out], known.folds[~out], ["a"])
        assert rule.held_out[out] == pytest.approx(seen.whole.margins(known.matrix.rows(out)))
        assert rule.held_out[out] != pytest.approx(rule.whole.margins(known.matrix.rows(out)))


# Contributions -----------------------------------------------------------------------------------


def test_contributions_add_up_to_the_log_odds():
    known, _ = examples(12, 1_500, figures=2, interaction=0.5)
    learned = learn(known, tuple("abcdef"))
    for name in ("rule", "logistic", "trees", "both"):
        one = learned.named(name)
        sums = one.contributions(known.matrix).sum(axis=1)
        apart = log_odds(one.probabilities(known.matrix)) - sums
        # What is left is that of the average customer, the same for all.
        assert np.ptp(apart) < 1e-3, name


def test_a_figure_that_says_nothing_has_no_weight():
    known, _ = examples(13, 4_000, figures=1, strength=2.0)
    logistic = fit_logistic(known.matrix, known.left, known.folds)
    trees = fit_trees(known.matrix, known.left, known.folds, 0)
    both = together(logistic, trees, known.left, known.folds)
    weights = np.abs(both.contributions(known.matrix)).mean(axis=0)
    assert weights[0] > 10 * weights[1:].max()


# Matrices ----------------------------------------------------------------------------------------


class Text:
    """As much of a feature as a matrix asks for."""

    def __init__(self, name, is_category):
        self.name, self.is_category = name, is_category


def test_texts_are_numbered_and_rare_ones_are_put_together():
    texts = ["red"] * 30 + ["blue"] * 25 + ["odd"] * 3 + [None] * 2
    table = pa.table({"colour": texts, "size": [1.5] * 58 + [None, float("inf")]})
    features = [Text("colour", True), Text("size", False)]
    levels = levels_of(table, features)
    assert levels == {"colour": ("blue", "red", OTHER)}
    found = matrix_of(table, features, levels)
    assert found.known(0) == {"colour": "red", "size": 1.5}
    assert found.known(56) == {"colour": OTHER, "size": 1.5}
    assert found.known(59) == {"colour": None, "size": None}
    later = matrix_of(pa.table({"colour": ["green"], "size": [2.0]}), features, levels)
    assert later.known(0)["colour"] == OTHER
    only_rare = pa.table({"colour": ["a", "b"], "size": [1.0, 2.0]})
    assert matrix_of(only_rare, features, levels_of(only_rare, features)).names == ("size",)


def test_a_rule_of_texts_draws_small_groups_to_the_middle():
    rng = np.random.default_rng(0)
    which = np.repeat([0.0, 1.0, 2.0], [500, 480, 20]).astype(np.float32)
    left = rng.random(1_000) < np.array([0.2, 0.6, 0.6])[which.astype(int)]
    left[980:] = True
    matrix = Matrix(which[:, None], ("plan",), {"plan": ("a", "b", "c")})
    rule = fit_rule(matrix, left, np.arange(1_000) % FOLDS, ["plan"])
    low, high, few = rule.probabilities(matrix.rows(np.array([0, 600, 990])))
    assert low < 0.3
    assert 0.5 < high < few < 0.95


def test_a_design_tells_customers_without_a_value_apart():
    values = np.array([[1.0], [2.0], [np.nan], [4.0]] * 100, np.float32)
    columns = Design.of(Matrix(values, ("a",), {})).columns(Matrix(values, ("a",), {}))
    assert columns.shape == (400, 2)
    assert columns[:, 1].sum() == 100
    assert columns[:, 0].mean() == pytest.approx(0, abs=1e-12)


def test_a_list_by_stake_names_those_at_risk_first():
    probability = np.array([0.9, 0.8, 0.1, 0.2, 0.85])
    worth = np.array([10.0, 500.0, 9_000.0, np.nan, 100.0])
    assert listed("stake", probability, worth).tolist() == [1, 4, 0, 2, 3]
    assert listed("risk", probability, worth).tolist() == [0, 4, 1, 3, 2]
