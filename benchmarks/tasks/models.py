"""Our models of repeat purchase, on the tables where they are, as the peers' are."""

from importlib import import_module

import duckdb
import numba
import numpy as np

import revoir
from revoir import engines
from revoir.metrics.summary import customer_summary
from revoir.models.bg_nbd import BgNbd
from revoir.models.clv import clv as foretell
from revoir.models.gamma_gamma import GammaGamma
from revoir.models.pareto_nbd import ParetoNbd
from worker import phase

# What is imported or loaded when first used is not part of the time: the engine, SciPy, pandas (by
# PyArrow, whenever it is given NumPy's arrays), and what numba has compiled.
engines.memory().disconnect()
import_module("pandas")
_few = np.array([0.0, 1.0, 3.0]), np.array([0.0, 9.0, 20.0]), np.array([30.0, 30.0, 30.0])
for _model in (BgNbd(), ParetoNbd()):
    _model.fit(*_few).expected_purchases(9, *_few)
GammaGamma().fit([1, 2], [9.0, 12.0])


def versions():
    return {
        "revoir": revoir.__version__,
        "duckdb": duckdb.__version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def _book(path):
    backend = engines.memory()
    backend.raw_sql(f"create view orders as from read_parquet('{path}')")
    return revoir.Book(engines.open_tables(backend))


def bg_nbd(path):
    return _fitted(path, BgNbd())


def pareto_nbd(path):
    return _fitted(path, ParetoNbd())


def _fitted(path, model):
    book = _book(path)
    with phase("summary"):
        found = book.columns(customer_summary(book))
    with phase("fit"):
        model.fit(*(found[name].to_numpy() for name in ("frequency", "recency", "T")))
    return lambda: {"customers": found.num_rows, "log_likelihood": model.log_likelihood_}


def clv(path):
    return _clv(path, tested=False)


def clv_tested(path):
    return _clv(path, tested=True)


def _clv(path, *, tested):
    book = _book(path)
    with phase("purchases"):
        assert book.purchases is not None
    with phase("answer"):
        found = foretell(book, model="bg_nbd", tested=tested)
    return lambda: {
        "customers": found.customers.num_rows,
        "log_likelihood": found.model.log_likelihood_,
    }
