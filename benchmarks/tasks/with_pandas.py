"""The same questions in the usual idioms of pandas."""

import datetime as dt
from operator import attrgetter

import numpy as np
import pandas as pd


def versions():
    import pyarrow

    return {"pandas": pd.__version__, "numpy": np.__version__, "pyarrow": pyarrow.__version__}


def summary(path):
    orders = pd.read_parquet(path)
    orders["day"] = orders["ordered_at"].dt.normalize()
    days = orders.groupby(["customer_id", "day"], as_index=False)["amount"].sum()
    end = days["day"].max()
    days["first"] = days.groupby("customer_id")["day"].transform("min")
    days["repeat"] = days["amount"].where(days["day"] > days["first"])
    found = days.groupby("customer_id").agg(
        frequency=("day", "count"),
        first=("day", "min"),
        last=("day", "max"),
        monetary_value=("repeat", "mean"),
    )
    found["frequency"] -= 1
    found["recency"] = (found["last"] - found["first"]).dt.days
    found["T"] = (end - found["first"]).dt.days
    return lambda: summary_figures(found)


def summary_figures(found):
    columns = ("frequency", "recency", "T", "monetary_value")
    return {"customers": len(found)} | {name: float(found[name].sum()) for name in columns}


def cohorts(path):
    """The grid in whole columns: periods, transform, nunique (E. Lewinson's tutorial)."""
    orders = pd.read_parquet(path)
    orders["period"] = orders["ordered_at"].dt.to_period("M")
    orders["cohort"] = (
        orders.groupby("customer_id")["ordered_at"].transform("min").dt.to_period("M")
    )
    counted = orders.groupby(["cohort", "period"], observed=True)["customer_id"].nunique()
    found = counted.rename("customers").reset_index()
    found["age"] = (found["period"] - found["cohort"]).apply(attrgetter("n"))
    return _grid(found.pivot_table(index="cohort", columns="age", values="customers"))


def cohorts_by_apply(path):
    """The grid as most courses teach it: the month of every row by apply (DataCamp's course)."""
    orders = pd.read_parquet(path)
    orders["month"] = orders["ordered_at"].apply(lambda x: dt.datetime(x.year, x.month, 1))
    orders["cohort"] = orders.groupby("customer_id")["month"].transform("min")
    years = orders["month"].dt.year - orders["cohort"].dt.year
    orders["age"] = years * 12 + orders["month"].dt.month - orders["cohort"].dt.month
    grouping = orders.groupby(["cohort", "age"])
    found = grouping["customer_id"].apply(pd.Series.nunique).rename("customers").reset_index()
    return _grid(found.pivot(index="cohort", columns="age", values="customers"))


def _grid(grid):
    share = grid.divide(grid[0], axis=0)
    return lambda: {
        "customers": float(grid[0].sum()),
        "cells": float(grid.sum().sum()),
        "share_at_1": float(grid[1].sum() / grid[0][grid[1].notna()].sum()),
        "cohorts": len(share),
    }


def rfm(path):
    """Quintiles by qcut; ranks first, because qcut refuses the ties of frequency."""
    orders = pd.read_parquet(path)
    orders["day"] = orders["ordered_at"].dt.normalize()
    end = orders["day"].max()
    found = orders.groupby("customer_id").agg(
        last=("day", "max"), frequency=("day", "nunique"), monetary=("amount", "sum")
    )
    found["days_since_last"] = (end - found["last"]).dt.days
    found["r"] = pd.qcut(found["days_since_last"].rank(method="first"), 5, labels=[5, 4, 3, 2, 1])
    found["f"] = pd.qcut(found["frequency"].rank(method="first"), 5, labels=[1, 2, 3, 4, 5])
    found["m"] = pd.qcut(found["monetary"].rank(method="first"), 5, labels=[1, 2, 3, 4, 5])
    return lambda: {
        "customers": len(found),
        "days_since_last": float(found["days_since_last"].sum()),
        "frequency": float(found["frequency"].sum()),
        "monetary": float(found["monetary"].sum()),
    }


def read_csv(path):
    orders = pd.read_csv(path, parse_dates=["ordered_at"])
    return lambda: {"rows": len(orders), "amount": float(orders["amount"].sum())}


def read_xlsx(path):
    orders = pd.read_excel(path, engine="openpyxl")
    return lambda: {"rows": len(orders), "amount": float(orders["amount"].sum())}


def read_xlsx_calamine(path):
    orders = pd.read_excel(path, engine="calamine")
    return lambda: {"rows": len(orders), "amount": float(orders["amount"].sum())}
