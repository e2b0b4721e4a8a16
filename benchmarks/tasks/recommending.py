"""What every way of recommending is asked, and how its answers are held against what was bought.

NumPy, SciPy and PyArrow alone, so that it runs in every environment. The file holds a row for each
product and day of a customer, in numbers. Whoever had bought before the cut and bought in the days
after it is recommended ten products; all that they bought then counts, or in the question "new"
what they had not bought before.
"""

import numpy as np
import pyarrow.parquet as pq
from scipy import sparse

TOP = 10
QUESTIONS = ("all", "new")


class Past:
    """The data cut at a day.

    Attributes:
        bought: Customers by products, the number of days on which each was bought before.
        customers: Numbers of those who are recommended something, by question.
        truth: What each of them bought in the days after, by question.
    """

    def __init__(self, rows, cutoff, days):
        customer, product, day = rows
        shape = (customer.max() + 1, product.max() + 1)
        before = day <= cutoff
        after = (day > cutoff) & (day <= cutoff + days)
        self.bought = _matrix(customer[before], product[before], shape)
        later = _matrix(customer[after], product[after], shape)
        later.data[:] = 1
        known = np.diff(self.bought.indptr) > 0
        owned = self.bought.copy()
        owned.data[:] = 1
        fresh = later - later.multiply(owned)
        fresh.eliminate_zeros()
        self.customers, self.truth = {}, {}
        for question, held in (("all", later), ("new", fresh.tocsr())):
            chosen = np.flatnonzero(known & (np.diff(held.indptr) > 0))
            self.customers[question] = chosen
            self.truth[question] = [
                frozenset(held.indices[held.indptr[n] : held.indptr[n + 1]].tolist())
                for n in chosen
            ]

    def measured(self, question, ranked):
        """Precision, recall, ndcg and coverage of products recommended, the best first."""
        truth = self.truth[question]
        hits = np.array(
            [
                [product in one for product in row]
                for row, one in zip(ranked.tolist(), truth, strict=True)
            ]
        )
        sizes = np.array([len(one) for one in truth])
        discount = 1 / np.log2(np.arange(2, TOP + 2))
        best = np.cumsum(discount)[np.minimum(sizes, TOP) - 1]
        return {
            "customers": len(truth),
            "precision": float(hits.mean()),
            "recall": float((hits.sum(axis=1) / sizes).mean()),
            "ndcg": float(((hits @ discount) / best).mean()),
            "products": len(np.unique(ranked[ranked >= 0])),
        }


def _matrix(customer, product, shape):
    found = sparse.csr_matrix((np.ones(len(customer)), (customer, product)), shape)
    found.sum_duplicates()
    return found


def read(path):
    """The numbers of customers, products and days."""
    table = pq.read_table(path)
    return tuple(table[name].to_numpy() for name in ("customer", "product", "day"))


def stretches(rows):
    """The past to choose settings on, and that to test on: a sixth of the days each, 60 at most."""
    day = rows[2]
    last = int(day.max())
    hidden = int(np.clip((last - int(day.min()) + 1) // 6, 7, 60))
    return Past(rows, last - 2 * hidden, hidden), Past(rows, last - hidden, hidden), hidden


def told(answers):
    """One flat mapping of the figures of both questions."""
    return {
        f"{name}, {question}": value
        for question, figures in answers.items()
        for name, value in figures.items()
    }
