"""What is foretold of every customer: computed by the worker in parts, kept, read by pages.

Each part is one model with the answer of its page and, a row a customer, what it says of each. A
run is all parts together; its table lies in a file ordered by customer, of which a page reads the
few rows that it needs.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from revoir.files import whole
from revoir.language import Message, msg
from revoir_web.common.words import made, plain
from revoir_web.insights import engine, facts, predictions, runs
from revoir_web.insights.models import PredictionRun

if TYPE_CHECKING:
    import pyarrow as pa

    from revoir.book import Book
    from revoir.metrics.result import Figure
    from revoir.models.churn import Churn
    from revoir.models.clv import Clv
    from revoir.models.contract_clv import ContractClv

REASONED = 200_000
"""For so many customers, the most pressing first, reasons are worked out: in half a minute."""
REASONED_AT_ONCE = 20_000
"""So many have their reasons in memory at a time."""
RECOMMENDED = 5
"""Products recommended to a customer."""
ROW_GROUP = 16_384
"""Rows that are read for one customer's."""
CONTRACT = "contract_"
"""Begins the columns of what is foretold of a contract, where the others are of purchases."""
FOLDERS_KEPT = 2
"""A page that has just read which run is the last still finds its file."""


@dataclass
class Part:
    """What one model says.

    Attributes:
        answer: What its page shows, by language (`drawn.in_each`).
        facts: What a run keeps of it: how it was computed and how good it was, in plain values.
        customers: A row a customer: `customer_id` and columns that no other part has (None:
            nothing is foretold).
        products: A row a customer and product recommended (None: none are).
        upgrades: A row a customer and owned product that is due for an upgrade (None: not known).
        card: Its model card, by language (None: it has none).
    """

    answer: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    customers: pa.Table | None = None
    products: pa.Table | None = None
    upgrades: pa.Table | None = None
    card: dict[str, Any] | None = None


def _leaving(book: Book, kind: str | None = None) -> Part:
    """Who is about to leave, and why."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from revoir.models.churn import churn

    found = churn(book, kind=kind)
    card = found.card
    judged = card.judged.get(card.used) if card.used else None
    kept = {
        "model": card.used,
        "auc": judged.auc.value if judged else None,
        "slope": judged.slope.value if judged and judged.slope else None,
        "customers": found.customers.num_rows,
        "mean": pc.mean(found.customers["probability"]).as_py(),
        "paid_in": found.definition.paid_in,
        "reason": plain(found.reason),
    }
    answer, told = predictions.departures(found), predictions.model_card(found)
    if found.reason is not None:
        return Part(answer, kept, card=told)
    why = _reasons(found)
    kept["reasoned"] = len(why)
    left = found.customers
    ids = left["customer_id"].to_pylist()
    table = pa.table(
        {
            "customer_id": left["customer_id"],
            "leaves": left["probability"],
            "worth": left["worth"],
            "stake": left["stake"],
            "why": pa.array([why.get(one) for one in ids], pa.string()),
        }
    )
    return Part(answer, kept, table, card=told)


def _reasons(found: Churn) -> dict[Any, str]:
    """Why the most pressing customers may leave, as text of JSON."""
    why: dict[Any, str] = {}
    for start in range(0, REASONED, REASONED_AT_ONCE):
        limit = min(REASONED_AT_ONCE, REASONED - start)
        part = found.ranked(limit=limit, start=start)
        for one in part:
            raising = one.raising[: predictions.REASONS]
            why[one.customer_id] = json.dumps([plain(reason.text) for reason in raising])
        if len(part) < limit:
            break
    return why


def _worth(book: Book) -> Part:
    """What each customer will bring in."""
    return _valued(book, predictions.clv_of(book), predictions.simple_of(book))


def _valued(book: Book, found: Clv | ContractClv, simple: Figure | None = None) -> Part:
    import pyarrow as pa

    kept = {
        "model": found.model.name if found.model else None,
        "label": str(found.model.label) if found.model else None,
        "total": vars(total) if (total := predictions.total_of(found)) else None,
        "confidence": found.confidence,
        "margin": found.margin,
        "reason": plain(found.reason),
    }
    answer = predictions.worth(found, simple, predictions.fit_of(book, found))
    held = found.customers
    if held is None:
        return Part(answer, kept)
    taken = {"clv": "clv", "low": "clv_low", "high": "clv_high", "expected_purchases": "purchases",
             "p_alive": "alive", "p_stays": "alive", "historic": "clv_historic",
             "total": "clv_total"}  # fmt: skip
    columns = {to: held[name] for name, to in taken.items() if name in held.column_names}
    return Part(answer, kept, pa.table({"customer_id": held["customer_id"], **columns}))


def _worth_of_contracts(book: Book) -> Part:
    """What each subscriber will bring in by their contract."""
    from revoir.models.contract_clv import contract_clv

    return _of_contracts(_valued(book, contract_clv(book)))


def _leaving_of_contracts(book: Book) -> Part:
    """Whose contract is about to end, and why."""
    return _of_contracts(_leaving(book, "subscriptions"))


def _of_contracts(part: Part) -> Part:
    """A part whose columns stand beside those of buyers."""
    if part.customers is None:
        return part
    names = part.customers.column_names
    named = [name if name == "customer_id" else CONTRACT + name for name in names]
    return replace(part, customers=part.customers.rename_columns(named))


def _next(book: Book) -> Part:
    """When each customer will buy next."""
    from revoir.models.next_purchase import next_purchases

    found = next_purchases(book)
    kept: dict[str, Any] = {
        "horizon_days": found.horizon_days,
        "coverage": found.coverage,
        "reason": plain(found.reason),
    }
    answer = predictions.upcoming(found)
    if found.rhythm is None:
        return Part(answer, kept)
    columns = ("customer_id", "usual_days", "silent_days", "next_on", "low_on", "high_on",
               "returns", "overdue")  # fmt: skip
    kept["covered"] = [[one.level, one.inside, one.n] for one in found.record.covered]
    return Part(answer, kept, found.customers.select(columns))


def _health(book: Book) -> Part:
    """The health of each customer, with the parts that make it."""
    from revoir.signals.health import health_scores

    found = health_scores(book)
    kept: dict[str, Any] = {"reason": plain(found.reason)}
    if found.reason is not None:
        return Part(predictions.health(found, None), kept)
    check = found.check()
    kept["auc"] = check.auc
    kept["parts"] = [[part.name, plain(part.label)] for part in found.parts]
    table = book.columns(found.customers)
    names = ["customer_id", "health"]
    for part in found.parts:
        names += [part.name, f"{part.name}_of"]
    renamed = [name if name in names[:2] else f"part_{name}" for name in names]
    return Part(predictions.health(found, check), kept, table.select(names).rename_columns(renamed))


def _products(book: Book) -> Part:
    """What each customer is likely to buy."""
    from revoir.models.recommend import recommend
    from revoir.models.upgrades import due_upgrades

    found = recommend(book, top=RECOMMENDED)
    due = due_upgrades(book) if found.record else None
    kept: dict[str, Any] = {
        "method": found.record.method.name if found.record else None,
        "label": plain(found.record.label) if found.record else None,
        "reason": plain(found.reason),
    }
    if found.record is not None:
        kept["hits"] = next(
            ([one.hits, one.customers] for one in found.record.trials
             if one.name == found.record.method.name), None
        )  # fmt: skip
    answer = predictions.products(book, found, due)
    return Part(answer, kept, None, found.products, due.products if due else None)


PARTS: Mapping[str, tuple[Message, Callable[[Book], Part]]] = {
    "departures": (msg("Who may leave"), _leaving),
    "worth": (msg("What customers will bring in"), _worth),
    "next": (msg("The next purchases"), _next),
    "health": (msg("The health of customers"), _health),
    "products": (msg("What customers are likely to buy"), _products),
}
"""Kind of question → what it tells, and what computes it."""
CONTRACTS: Mapping[str, tuple[Message, Callable[[Book], Part]]] = {
    "departures": (msg("Whose contract may end"), _leaving_of_contracts),
    "worth": (msg("What contracts will bring in"), _worth_of_contracts),
}
"""The same for subscribers apart, where the parts above are about buyers (`runs.APART`)."""


def has_both(book: Book) -> bool:
    """Whether there are buyers and subscribers, each to be foretold for themselves."""
    of_contracts = book.has("subscriptions", "started_at", "ended_at")
    return of_contracts and book.has("orders", "customer_id")


@dataclass(frozen=True)
class Step:
    """A part to compute.

    Attributes:
        kind: Of the question.
        parameters: Of the question.
        told: What it tells.
        compute: What computes it.
    """

    kind: str
    parameters: Mapping[str, str]
    told: Message
    compute: Callable[[Book], Part]

    @property
    def name(self) -> str:
        """What stands for it in the facts of a run."""
        return CONTRACT + self.kind if self.parameters else self.kind


def steps(book: Book) -> list[Step]:
    """The parts that the tables of a book give."""
    found = [Step(kind, {}, *part) for kind, part in PARTS.items()]
    if has_both(book):
        found += [Step(kind, runs.SUBSCRIBERS, *part) for kind, part in CONTRACTS.items()]
    return found


# -- The file ------------------------------------------------------------------------------------
def together(parts: Sequence[Part]) -> pa.Table:
    """One row a customer of whom anything is foretold, in the order of the identifiers.

    Args:
        parts: What was computed.

    Returns:
        `customer_id` and the columns of every part, null where it says nothing of the customer.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    tables = [part.customers for part in parts if part.customers is not None]
    named = [table["customer_id"].cast(pa.string()).combine_chunks() for table in tables]
    every = pa.concat_arrays(named).unique() if named else pa.array([], pa.string())
    every = every.take(pc.sort_indices(every))
    columns: dict[str, Any] = {"customer_id": every}
    for table, ids in zip(tables, named, strict=True):
        place = pc.index_in(every, value_set=ids)
        for name in table.column_names:
            if name != "customer_id":
                columns[name] = table[name].combine_chunks().take(place)
    return pa.table(columns)


def write(number: str, parts: Sequence[Part], customers: pa.Table) -> None:
    """Write the files of a run, and remove those of runs before the last.

    Args:
        number: The run's.
        parts: What was computed.
        customers: What `together` made of them.
    """
    import pyarrow.parquet as pq

    folder = engine.folder_of(number)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole(folder / "customers.parquet") as draft:
        pq.write_table(customers, draft, row_group_size=ROW_GROUP)
    for part in parts:
        if part.products is not None:
            ordered = part.products.sort_by([("customer_id", "ascending"), ("rank", "ascending")])
            with whole(folder / "products.parquet") as draft:
                pq.write_table(ordered, draft, row_group_size=ROW_GROUP * RECOMMENDED)
        if part.upgrades is not None:
            ordered = part.upgrades.sort_by([("customer_id", "ascending"), ("due_on", "ascending")])
            with whole(folder / "upgrades.parquet") as draft:
                pq.write_table(ordered, draft, row_group_size=ROW_GROUP)
    old = sorted(folder.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in old[:-FOLDERS_KEPT]:
        shutil.rmtree(path, ignore_errors=True)


# -- Of one customer -----------------------------------------------------------------------------
_ABSENT = (
    "leaves", "why", "worth", "stake", "clv", "clv_low", "clv_high", "clv_historic",
    "clv_total", "purchases", "alive",
    "usual_days", "silent_days", "next_on", "low_on", "high_on", "returns", "overdue", "health",
    "contract_leaves", "contract_why", "contract_worth", "contract_stake", "contract_clv",
    "contract_clv_low", "contract_clv_high",
)  # fmt: skip


def of_customer(run: PredictionRun, key: str) -> dict[str, Any] | None:
    """What a run foretold of a customer.

    Args:
        run: The run.
        key: The customer's id.

    Returns:
        The columns of `together`, None where nothing is known; `reasons` for leaving, and
        `contract_reasons` for ending the contract, as messages;
        `products`: rows that `revoir.models.because.why` puts into words; and `upgrades`: what they
        own that is due for one. None where the run says nothing of the customer, or its files are
        gone.
    """
    folder = engine.folder_of(run.number)
    found = _rows_of(folder / "customers.parquet", key, "customer_id")
    bought = _rows_of(folder / "products.parquet", key, "rank")
    due = _rows_of(folder / "upgrades.parquet", key, "due_on")
    if not found and not bought and not due:
        return None
    known = {**dict.fromkeys(_ABSENT), **(found[0] if found else {})}
    reasons = {
        name: [made(one) for one in json.loads(known.pop(why) or "[]")]
        for why, name in (("why", "reasons"), (f"{CONTRACT}why", f"{CONTRACT}reasons"))
    }
    return {**known, **reasons, "products": bought, "upgrades": due}


def _rows_of(path: Path, key: str, order: str) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    statement = f"select * from read_parquet(?) where customer_id = ? order by {order}"
    return facts.rows(statement, [str(path), key])
