"""The customer summary by lifetimes."""

import lifetimes
import pandas as pd
from lifetimes.utils import summary_data_from_transaction_data


def versions():
    import numpy
    import pyarrow

    return {
        "lifetimes": lifetimes.__version__,
        "pandas": pd.__version__,
        "numpy": numpy.__version__,
        "pyarrow": pyarrow.__version__,
    }


def summary(path):
    orders = pd.read_parquet(path)
    found = summary_data_from_transaction_data(
        orders,
        "customer_id",
        "ordered_at",
        monetary_value_col="amount",
        observation_period_end=orders["ordered_at"].max(),
    )
    columns = ("frequency", "recency", "T", "monetary_value")
    return lambda: {"customers": len(found)} | {name: float(found[name].sum()) for name in columns}
