"""The customer summary, its models and customer lifetime value by lifetimes."""

import lifetimes
import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter, ParetoNBDFitter
from lifetimes.utils import summary_data_from_transaction_data

from worker import phase


def versions():
    import pyarrow

    return {
        "lifetimes": lifetimes.__version__,
        "pandas": pd.__version__,
        "numpy": np.__version__,
        "pyarrow": pyarrow.__version__,
    }


def summary(path):
    found = _summary(path)
    columns = ("frequency", "recency", "T", "monetary_value")
    return lambda: {"customers": len(found)} | {name: float(found[name].sum()) for name in columns}


def _summary(path):
    orders = pd.read_parquet(path)
    return summary_data_from_transaction_data(
        orders,
        "customer_id",
        "ordered_at",
        monetary_value_col="amount",
        observation_period_end=orders["ordered_at"].max(),
    )


def bg_nbd(path):
    return _fitted(path, BetaGeoFitter())


def pareto_nbd(path):
    return _fitted(path, ParetoNBDFitter())


def _fitted(path, model):
    with phase("summary"):
        found = _summary(path)
    with phase("fit"):
        model.fit(found["frequency"], found["recency"], found["T"])
    return lambda: _figures(found, model)


def _figures(found, model):
    """Its own figure is on times that it scales for the search."""
    r, alpha, third, fourth = model.params_.to_numpy()
    history = [found[name].to_numpy(dtype=float) for name in ("frequency", "recency", "T")]
    if isinstance(model, ParetoNBDFitter):
        mean = model._conditional_log_likelihood((r, alpha, third, fourth), *history).mean()
    else:
        logs = np.log([r, alpha, third, fourth])
        mean = -model._negative_log_likelihood(logs, *history, np.ones(len(found)), 0)
    return {"customers": len(found), "log_likelihood": float(mean) * len(found)}


def clv(path):
    found = _summary(path)
    model = BetaGeoFitter().fit(found["frequency"], found["recency"], found["T"])
    back = found[(found["frequency"] > 0) & (found["monetary_value"] > 0)]
    spending = GammaGammaFitter().fit(back["frequency"], back["monetary_value"])
    worth = spending.customer_lifetime_value(
        model,
        found["frequency"],
        found["recency"],
        found["T"],
        found["monetary_value"],
        time=12,
        discount_rate=0.0,
        freq="D",
    )
    assert len(worth) == len(found)
    return lambda: _figures(found, model)
