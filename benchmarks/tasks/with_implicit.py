"""Recommendations by implicit: alternating least squares, and item-item with BM25 weights."""

import importlib.util
import os
from pathlib import Path

# implicit warns of more threads than one below its own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import implicit
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender
from scipy import sparse

from worker import phase

_place = Path(__file__).with_name("recommending.py")
_spec = importlib.util.spec_from_file_location("recommending", _place)
recommending = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(recommending)


def versions():
    import pyarrow
    import scipy

    return {
        "implicit": implicit.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "pyarrow": pyarrow.__version__,
    }


ALS = [
    {"factors": factors, "alpha": alpha, "regularization": regularization}
    for factors in (16, 64)
    for alpha in (1.0, 10.0, 40.0)
    for regularization in (0.05, 5.0)
]
BM25 = [{"K": neighbours, "K1": k1} for neighbours in (20, 100, 500) for k1 in (0.2, 1.2, 100.0)]


def als(path):
    return _measured(path, _als, ALS)


def bm25(path):
    return _measured(path, BM25Recommender, BM25)


def _als(**settings):
    return AlternatingLeastSquares(random_state=1, iterations=15, **settings)


def _measured(path, make, settings):
    """Choose settings on the first stretch by ndcg, recommend on the second."""
    choosing, past, _ = recommending.stretches(recommending.read(path))
    answers = {}
    for question in recommending.QUESTIONS:
        with phase(question):
            reached = [
                choosing.measured(question, _ranked(choosing, question, make(**one)))["ndcg"]
                for one in settings
            ]
            best = settings[int(np.argmax(reached))]
            ranked = _ranked(past, question, make(**best))
        answers[question] = past.measured(question, ranked)
    return lambda: recommending.told(answers)


def _ranked(past, question, model):
    model.fit(past.bought, show_progress=False)
    customers = past.customers[question]
    ids, _ = model.recommend(
        customers,
        past.bought[customers],
        N=recommending.TOP,
        filter_already_liked_items=question == "new",
    )
    return ids


def als_to_all(path):
    return _to_all(path, _als(factors=64, alpha=10.0))


def bm25_to_all(path):
    return _to_all(path, BM25Recommender(K=100))


def _to_all(path, model):
    """Five products to each of all customers, from the file of order lines."""
    with phase("read"):
        lines = pq.read_table(path, columns=["customer_id", "product_id"])
        codes = [pc.dictionary_encode(lines[name]).combine_chunks() for name in lines.column_names]
        customer, product = (one.indices.to_numpy() for one in codes)
        bought = sparse.csr_matrix((np.ones(len(customer), np.float32), (customer, product)))
    with phase("fit"):
        model.fit(bought, show_progress=False)
    with phase("recommend"):
        everybody = np.arange(bought.shape[0])
        ids, _ = model.recommend(everybody, bought, N=5, filter_already_liked_items=False)
    return lambda: {"customers": len(ids), "rows": ids.size}
