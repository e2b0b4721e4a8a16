"""What is compared: which tasks, on which file, and what is aimed at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One way of answering.

    Attributes:
        name: What the table calls it.
        task: File and function in `tasks`.
        environment: Where it runs ("project" or a name of `environments.ENVIRONMENTS`).
        agrees: Whether its figures are held against the others'.
    """

    name: str
    task: tuple[str, str]
    environment: str = "project"
    agrees: bool = True

    @property
    def is_peer(self) -> bool:
        """Whether it runs in an environment of its own."""
        return self.environment != "project"


@dataclass(frozen=True)
class Aim:
    """What one entry is to reach.

    Attributes:
        text: In words.
        of: The entry whose figure is above the line, by name; "rows" for the rows of the file.
        to: The entry below the line.
        measure: "seconds" or "peak_mib".
        at_most: The largest ratio (None: `at_least` holds).
        at_least: The smallest ratio.
        phase: The part of the work that is compared (None: all of it).
    """

    text: str
    of: str
    to: str | None
    measure: str = "seconds"
    at_most: float | None = None
    at_least: float | None = None
    phase: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Several ways of answering one question on one file.

    Attributes:
        name: What ``--only`` calls it.
        title: What the results call it.
        file: The kind of file: one of `data.KINDS`, or of `data.REAL`, which are real shops.
        entries: The ways.
        aims: What is aimed at.
        large: Whether it runs on the large file, with ``--large`` alone.
        shown: Figures that the table shows beside the times.
    """

    name: str
    title: str
    file: str
    entries: tuple[Entry, ...]
    aims: tuple[Aim, ...]
    large: bool = False
    shown: tuple[str, ...] = ()


IN_PLACE, CHECKED, FLOOR = "revoir, tables in place", "revoir, file read and checked", "floor"
PYMC_TENTH = "PyMC-Marketing (MAP), a tenth of the customers"
TESTED = "revoir, held against the simple rules too"
RECOMMENDED = "revoir, the method tested and chosen too"
HEALTH = "revoir, the health score of every customer"
FLOOR_ENTRY = Entry(FLOOR, ("floor.py", "group_by"))


def _ours(name: str, checked: str) -> tuple[Entry, Entry]:
    return (
        Entry(IN_PLACE, ("ours.py", f"{name}_in_place")),
        Entry(CHECKED, ("ours.py", checked)),
    )


COMPARISONS = (
    Comparison(
        "summary",
        "Customer summary: frequency, recency, T, monetary value",
        "orders",
        (
            FLOOR_ENTRY,
            *_ours("summary", "summary"),
            Entry("pandas group-by", ("with_pandas.py", "summary"), "pandas"),
            Entry("lifetimes", ("with_lifetimes.py", "summary"), "lifetimes"),
            Entry("PyMC-Marketing", ("with_pymc_marketing.py", "summary"), "pymc-marketing"),
        ),
        (
            Aim("at most 2 × the floor", IN_PLACE, FLOOR, at_most=2),
            Aim("8 × faster than lifetimes", "lifetimes", IN_PLACE, at_least=8),
        ),
    ),
    Comparison(
        "cohorts",
        "Cohort grid: month of first purchase × months since",
        "orders",
        (
            FLOOR_ENTRY,
            *_ours("cohorts", "cohorts_checked"),
            Entry("pandas, by apply", ("with_pandas.py", "cohorts_by_apply"), "pandas"),
            Entry("pandas, whole columns", ("with_pandas.py", "cohorts"), "pandas"),
        ),
        (
            Aim("10 × faster than pandas by apply", "pandas, by apply", IN_PLACE, at_least=10),
            Aim("10 × faster than pandas", "pandas, whole columns", IN_PLACE, at_least=10),
        ),
    ),
    Comparison(
        "rfm",
        "RFM: scores and segments of every customer",
        "orders",
        (
            FLOOR_ENTRY,
            *_ours("rfm", "rfm_checked"),
            Entry("pandas qcut (scores alone)", ("with_pandas.py", "rfm"), "pandas"),
        ),
        (),
    ),
    Comparison(
        "report",
        "The whole report, as JSON",
        "orders",
        (FLOOR_ENTRY, *_ours("report", "report_checked")),
        (Aim("at most 3 × one bare group-by", IN_PLACE, FLOOR, at_most=3),),
    ),
    Comparison(
        "bg_nbd",
        "BG/NBD, fitted from the orders",
        "orders",
        (
            FLOOR_ENTRY,
            Entry(IN_PLACE, ("models.py", "bg_nbd")),
            Entry("lifetimes", ("with_lifetimes.py", "bg_nbd"), "lifetimes"),
            Entry(PYMC_TENTH, ("with_pymc_marketing.py", "bg_nbd"), "pymc-marketing", agrees=False),
        ),
        (
            Aim("2 s at most", IN_PLACE, None, at_most=2),
            Aim("8 × faster than lifetimes", "lifetimes", IN_PLACE, at_least=8),
            Aim(
                "the fit 10 × faster than PyMC-Marketing's with a tenth of the customers",
                PYMC_TENTH,
                IN_PLACE,
                at_least=10,
                phase="fit",
            ),
            Aim(
                "all of it 10 × faster than PyMC-Marketing with a tenth of the customers",
                PYMC_TENTH,
                IN_PLACE,
                at_least=10,
            ),
        ),
    ),
    Comparison(
        "pareto_nbd",
        "Pareto/NBD, fitted from the orders",
        "orders",
        (
            FLOOR_ENTRY,
            Entry(IN_PLACE, ("models.py", "pareto_nbd")),
            Entry("lifetimes", ("with_lifetimes.py", "pareto_nbd"), "lifetimes"),
        ),
        (Aim("20 × faster than lifetimes", "lifetimes", IN_PLACE, at_least=20),),
    ),
    Comparison(
        "clv",
        "What every customer will bring in within a year, with bounds",
        "orders",
        (
            FLOOR_ENTRY,
            Entry(IN_PLACE, ("models.py", "clv")),
            Entry(TESTED, ("models.py", "clv_tested")),
            Entry("lifetimes, without bounds", ("with_lifetimes.py", "clv"), "lifetimes"),
        ),
        (Aim("3 s at most", IN_PLACE, None, at_most=3),),
    ),
    Comparison(
        "churn",
        "Who may leave: figures, training, a test on a later period, everybody's probability",
        "orders",
        (
            FLOOR_ENTRY,
            Entry(IN_PLACE, ("churn.py", "churn_in_place")),
            Entry(
                "pandas and LightGBM as tutorials have it, nothing tested later",
                ("churn.py", "tutorial"),
                agrees=False,
            ),
        ),
        (
            Aim("120 s at most", IN_PLACE, None, at_most=120),
            Aim("6 GiB at most (MiB)", IN_PLACE, None, "peak_mib", 6144),
        ),
        shown=("AUC, later period", "AUC, customers left out"),
    ),
    Comparison(
        "signals",
        "Every signal: the alerts of today, and the record of the past",
        "orders",
        (
            FLOOR_ENTRY,
            Entry(IN_PLACE, ("signals.py", "signals_in_place")),
            Entry(HEALTH, ("signals.py", "health_in_place"), agrees=False),
        ),
        (
            Aim("10 s at most", IN_PLACE, None, at_most=10),
            Aim("10 s at most, health", HEALTH, None, at_most=10),
        ),
    ),
    Comparison(
        "next",
        "The next purchase of every customer, with an interval",
        "orders",
        (
            FLOOR_ENTRY,
            Entry(IN_PLACE, ("products.py", "next_in_place")),
            Entry("revoir, tested on the past too", ("products.py", "next_tested")),
        ),
        (Aim("10 s at most", IN_PLACE, None, at_most=10),),
    ),
    Comparison(
        "recommend",
        "Five products for every customer, of 2,000",
        "lines",
        (
            Entry(RECOMMENDED, ("products.py", "recommend_to_all")),
            Entry("implicit, BM25", ("with_implicit.py", "bm25_to_all"), "implicit"),
            Entry("implicit, ALS", ("with_implicit.py", "als_to_all"), "implicit"),
        ),
        (
            Aim("60 s at most", RECOMMENDED, None, at_most=60),
            Aim("4 GiB at most (MiB)", RECOMMENDED, None, "peak_mib", 4096),
        ),
    ),
    *(
        Comparison(
            f"products_{name}",
            f"What customers of {title} bought next, among ten products recommended",
            name,
            tuple(
                Entry(entry, task, environment, agrees=False)
                for entry, task, environment in (
                    ("popularity", ("products.py", "popularity"), "project"),
                    ("revoir", ("products.py", "chosen"), "project"),
                    ("implicit, ALS", ("with_implicit.py", "als"), "implicit"),
                    ("implicit, BM25", ("with_implicit.py", "bm25"), "implicit"),
                )
            ),
            (),
            shown=tuple(
                f"{figure}, {question}"
                for question in ("all", "new")
                for figure in ("ndcg", "precision", "recall", "products")
            ),
        )
        for name, title in (
            ("online_retail", "Online Retail"),
            ("completejourney", "completejourney"),
        )
    ),
    Comparison(
        "csv",
        "Reading a CSV of orders",
        "csv",
        (
            Entry("DuckDB, no checks", ("floor.py", "read_csv")),
            Entry("revoir, every row checked", ("ours.py", "read_csv")),
            Entry("pandas, no checks", ("with_pandas.py", "read_csv"), "pandas"),
        ),
        (
            Aim(
                "500,000 rows a second or more",
                "rows",
                "revoir, every row checked",
                at_least=500_000,
            ),
        ),
    ),
    Comparison(
        "xlsx",
        "Reading a workbook of orders (DuckDB's reader is an extension to download: left out)",
        "xlsx",
        (
            Entry("revoir, every row checked", ("ours.py", "read_xlsx")),
            Entry("pandas with openpyxl", ("with_pandas.py", "read_xlsx"), "pandas"),
            Entry("pandas with calamine", ("with_pandas.py", "read_xlsx_calamine"), "pandas"),
        ),
        (
            Aim(
                "8 × faster than pandas with openpyxl",
                "pandas with openpyxl",
                "revoir, every row checked",
                at_least=8,
            ),
        ),
    ),
    Comparison(
        "lake",
        "The lake (the phases say what each step took; filling it is part of the whole)",
        "orders",
        (
            Entry("append all", ("lake.py", "append_all")),
            Entry("append 1,000 to all", ("lake.py", "append_few")),
            Entry("upsert 10,000 into all", ("lake.py", "upsert")),
            Entry("open and group by customer", ("lake.py", "open_and_group")),
            Entry("plain Parquet, grouped by customer", ("lake.py", "plain_group")),
        ),
        (),
    ),
    Comparison(
        "large",
        "Ten times as many customers",
        "orders",
        (
            FLOOR_ENTRY,
            Entry("summary, tables in place", ("ours.py", "summary_in_place")),
            Entry("cohorts, tables in place", ("ours.py", "cohorts_in_place"), agrees=False),
            Entry("RFM, tables in place", ("ours.py", "rfm_in_place"), agrees=False),
            Entry("report, tables in place", ("ours.py", "report_in_place"), agrees=False),
            Entry("report, file read and checked", ("ours.py", "report_checked"), agrees=False),
        ),
        (
            Aim(
                "8 GiB at most (MiB)",
                "report, file read and checked",
                None,
                measure="peak_mib",
                at_most=8192,
            ),
            Aim("8 GiB at most, in place (MiB)", "report, tables in place", None, "peak_mib", 8192),
        ),
        large=True,
    ),
)

GROWTH = {
    FLOOR: ("summary", FLOOR),
    "summary, tables in place": ("summary", IN_PLACE),
    "cohorts, tables in place": ("cohorts", IN_PLACE),
    "RFM, tables in place": ("rfm", IN_PLACE),
    "report, tables in place": ("report", IN_PLACE),
    "report, file read and checked": ("report", CHECKED),
}
"""Which measurement on the smaller file each one on the large file is held against."""
