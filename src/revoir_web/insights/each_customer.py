"""The figures of each customer, for lists and for the clock of how long persons are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from revoir.book import Book

_NOTHING = {"orders": 0, "revenue": 0, "segment": "", "rfm": "", "status": "prospect"}
"""The figures of those who never bought, whom the company has been in contact with."""


def customer_figures(book: Book) -> pa.Table | None:
    """The figures of every customer, for lists.

    Args:
        book: The company's tables.

    Returns:
        One row a customer with `customer_id`, `orders`, `revenue` (null: no amount is known in the
        company's currency), `first_on`, `last_on`,
        `last_contact_on`, `gap_days` (median wait between two purchases), `segment`, `rfm` and
        `status`; None where nobody is known. Who never bought but visited, answered, wrote or
        subscribed has a `last_contact_on`: how long they are kept depends on it.
    """
    import ibis

    buyers, contacts = _buyers(book), _contacts(book)
    if buyers is None and contacts is None:
        return None
    if buyers is None:
        nothing = {name: ibis.literal(held) for name, held in _NOTHING.items()}
        days = dict.fromkeys(("first_on", "last_on"), ibis.null("date"))
        gap = ibis.null("float64")
        found = contacts.select(
            customer_id="contact__id", last_contact_on="contact__on", gap_days=gap,
            **nothing, **days,
        )  # fmt: skip
    elif contacts is None:
        found = buyers.mutate(last_contact_on=buyers.last_on)
    else:
        both = buyers.outer_join(contacts, buyers.customer_id == contacts.contact__id)
        latest = ibis.greatest(
            both.last_on.coalesce(both.contact__on), both.contact__on.coalesce(both.last_on)
        )
        bought = both.customer_id.notnull()
        found = both.mutate(
            customer_id=both.customer_id.coalesce(both.contact__id),
            last_contact_on=latest,
            # An amount that is not known of a buyer is not nothing.
            **{name: bought.ifelse(both[name], nothing) for name, nothing in _NOTHING.items()},
        ).drop("contact__id", "contact__on")
    table: pa.Table = found.to_pyarrow()
    return table


def _buyers(book: Book) -> Any:
    """The figures of those who bought, but for their last contact; None where nobody is known."""
    import ibis

    from revoir.metrics.activity import activity
    from revoir.reports.sections import gaps_section
    from revoir.segments.rfm import rfm as score

    if not book.has("orders", "customer_id"):
        return None
    window = activity(book).window_days
    gaps = gaps_section(book)
    bought = book.purchases
    waited = bought.day.delta(bought.previous_day, unit="day").nullif(0)
    per = bought.group_by("customer_id").aggregate(
        orders=bought.count(),
        revenue=bought.amount.sum().cast("decimal(18, 2)"),
        first_on=bought.first_day.min(),
        last_on=bought.day.max(),
        days=bought.nth.max(),
        gap_days=waited.cast("float64").median(),
    )
    if len(book.currencies) > 1:
        per = _with_revenue_in_one_currency(book, per)
    scores = score(book).customers
    wanted = scores.select(
        scored__id=scores.customer_id,
        segment=scores.segment.coalesce(""),
        rfm=scores.r.cast("string")
        .concat(scores.f.cast("string"), scores.m.coalesce(scores.f).cast("string"))
        .coalesce(""),
    )
    held = per.left_join(wanted, per.customer_id == wanted.scored__id).drop("scored__id")
    held = _with_active(book, held)
    silent = ibis.literal(book.as_of).delta(held.last_on, unit="day")
    cases = [(~held.is_active, "lost")]
    if gaps is not None:
        # A subscriber who has not bought for longer than the window is a customer all the same.
        late = silent > gaps.third_quartile
        cases.append((late if window is None else late & (silent < window), "late"))
    cases.append((held.days == 1, "new"))
    return held.mutate(status=ibis.cases(*cases, else_="active")).drop("days", "is_active")


def _with_active(book: Book, per: Any) -> Any:
    """The figures of customers with whether each is active by the rule that retention counts by."""
    import ibis

    from revoir.signals.silences import active, signs_of_life

    if not signs_of_life(book):
        return per.mutate(is_active=ibis.literal(True))
    found = active(book).select(active__id="customer_id")
    held = per.left_join(found, per.customer_id == found.active__id)
    return held.mutate(is_active=held.active__id.notnull()).drop("active__id")


def _with_revenue_in_one_currency(book: Book, per: Any) -> Any:
    """The figures of customers with what they bought for in the company's currency alone."""
    own = book.settings.currency or book.currencies[0]
    orders = book.table("orders")
    bought = orders.filter(
        orders.customer_id.notnull()
        & (orders.kind == "purchase")
        & (orders.currency.fill_null(own) == own)
    )
    spent = bought.group_by(bought__id=bought.customer_id).aggregate(
        spent=bought.amount.sum().cast("decimal(18, 2)")
    )
    held = per.left_join(spent, per.customer_id == spent.bought__id)
    return held.mutate(revenue=held.spent).drop("bought__id", "spent")


def _contacts(book: Book) -> Any:
    """The last day of anything but a purchase, by customer."""
    import ibis

    from revoir.visits import visits

    clocks = {"interactions": "opened_at", "events": "occurred_at", "responses": "responded_on"}
    held = {
        # That a message was delivered is no contact with the customer.
        name: visits(book) if name == "events" else book.table(name)
        for name, clock in clocks.items()
        if book.has(name, "customer_id", clock)
    }
    found = [
        table.select(contact__id=table.customer_id, contact__on=book.day_of(table[clocks[name]]))
        for name, table in held.items()
    ]
    if book.has("subscriptions", "customer_id", "ended_at"):
        # Who subscribes is in contact every day.
        contracts, today = book.table("subscriptions"), ibis.literal(book.as_of)
        until = ibis.least(contracts.ended_at.coalesce(today), today)
        found.append(contracts.select(contact__id=contracts.customer_id, contact__on=until))
    if not found:
        return None
    together = found[0]
    for table in found[1:]:
        together = together.union(table)
    together = together.filter(together.contact__id.notnull() & together.contact__on.notnull())
    return together.group_by("contact__id").aggregate(contact__on=together.contact__on.max())
