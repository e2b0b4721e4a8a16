"""The customer summary and BG/NBD by PyMC-Marketing."""

import warnings

# ArviZ announces its next version whenever it is imported.
warnings.simplefilter("ignore")

import pandas as pd  # noqa: E402
import pymc_marketing  # noqa: E402
from pymc_marketing.clv import BetaGeoModel  # noqa: E402
from pymc_marketing.clv.utils import rfm_summary  # noqa: E402

from worker import phase  # noqa: E402


def versions():
    import numpy
    import pyarrow

    return {
        "pymc-marketing": pymc_marketing.__version__,
        "pandas": pd.__version__,
        "numpy": numpy.__version__,
        "pyarrow": pyarrow.__version__,
    }


def summary(path):
    found = _summary(pd.read_parquet(path))
    columns = ("frequency", "recency", "T", "monetary_value")
    return lambda: {"customers": len(found)} | {name: float(found[name].sum()) for name in columns}


def _summary(orders):
    return rfm_summary(
        orders,
        customer_id_col="customer_id",
        datetime_col="ordered_at",
        monetary_value_col="amount",
        observation_period_end=orders["ordered_at"].max(),
        time_unit="D",
    )


def bg_nbd(path):
    """One customer in ten: with all of them it takes more memory than most machines have."""
    with phase("summary"):
        orders = pd.read_parquet(path)
        found = _summary(orders[orders["customer_id"] % 10 == 0])
    with phase("fit"):
        model = BetaGeoModel(data=found)
        model.fit(method="map")
    return lambda: {"customers": len(found)}
