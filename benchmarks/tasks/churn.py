"""Who may leave: ours, with its test on a later period, and the way that tutorials teach."""

from importlib import import_module

import duckdb
import lightgbm
import numpy as np
import pandas as pd
import sklearn

import revoir
from revoir import engines
from revoir.models.churn import churn
from revoir.models.validation import auc
from worker import phase

WINDOW_DAYS = 182
"""Half a year in three years of orders: there is a later period to test on."""

# What is imported when first used is not part of the time either.
engines.memory().disconnect()
for name in ("sklearn.linear_model", "scipy.stats", "lightgbm"):
    import_module(name)


def versions():
    return {
        "revoir": revoir.__version__,
        "duckdb": duckdb.__version__,
        "lightgbm": lightgbm.__version__,
        "pandas": pd.__version__,
        "scikit-learn": sklearn.__version__,
    }


def churn_in_place(path):
    backend = engines.memory()
    backend.raw_sql(f"create view orders as from read_parquet('{path}')")
    rule = revoir.Activity(window_days=WINDOW_DAYS)
    book = revoir.Book(engines.open_tables(backend)).with_settings(activity=rule)
    found = churn(book)
    with phase("reasons of 1,000"):
        found.ranked(limit=1_000)

    def tell():
        judged = found.card.judged.get(found.card.used)
        told = {"customers judged": found.customers.num_rows}
        return told | ({"AUC, later period": judged.auc.value} if judged else {})

    return tell


def tutorial(path):
    """Figures of one day by a pandas group-by, LightGBM once, nothing tested later."""
    orders = pd.read_parquet(path, columns=["customer_id", "ordered_at", "amount"])
    orders["day"] = orders.ordered_at.dt.normalize()
    last = orders.day.max()
    window = pd.Timedelta(days=WINDOW_DAYS)
    known = _figures(orders, last - window)
    later = orders[orders.day > last - window].customer_id.unique()
    left = ~known.index.isin(later)
    seen = np.random.default_rng(0).random(len(known)) < 0.8
    model = lightgbm.LGBMClassifier(verbosity=-1, random_state=0)
    model.fit(known[seen], left[seen])
    now = _figures(orders, last)
    said = model.predict_proba(now)[:, 1]

    def tell():
        held = model.predict_proba(known[~seen])[:, 1]
        return {
            "customers judged": len(said),
            "AUC, customers left out": auc(held, left[~seen]).value,
        }

    return tell


def _figures(orders, cutoff):
    orders = orders[orders.day <= cutoff]
    grouped = orders.groupby("customer_id")
    found = grouped.agg(first=("day", "min"), last=("day", "max"), days=("day", "nunique"),
                        orders=("amount", "size"), amount=("amount", "sum"))  # fmt: skip
    for days in (30, 90, 365):
        late = orders[orders.day > cutoff - pd.Timedelta(days=days)].groupby("customer_id").amount
        found[f"orders_{days}"] = late.size().reindex(found.index).fillna(0)
        found[f"amount_{days}"] = late.sum().reindex(found.index).fillna(0)
    found["days_since_last"] = (cutoff - found["last"]).dt.days
    found["days_since_first"] = (cutoff - found["first"]).dt.days
    there = found[found.days_since_last < WINDOW_DAYS]
    return there.drop(columns=["first", "last"])
