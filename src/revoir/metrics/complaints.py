"""Which contacts with customer service are complaints: one definition for whoever asks."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from revoir.book import Book
from revoir.language import Message, msg

KINDS_SHOWN = 5
"""So many kinds are named where none of them sounds like a complaint."""

# An accent may be a letter of its own, and not every database writes É as a small letter.
_STEM = (
    "(?:complain|r[eéÉ]\u0301?clam|plainte|litig|dispute|m[eéÉ]\u0301?content|(?:in|un|dis)satisf)"
)
_LETTER, _BLANK = "[a-zà-ÿÉ\u0301]", "[ \u00a0_-]"
_AND = f"(?:[ \u00a0,/&]+(?:(?:et|ou|ni|and|or|nor) )?{_STEM}{_LETTER}*)*"
_DENIED = (
    f"(?:^|[^a-zà-ÿ])(?:no|not|non|without|except|excluding|sans|hors|pas|aucune?|sauf|ni"
    f"|other than|autres? qu[e.’]?){_BLANK}*(?:(?:an?|any|the|de|d.une?|une?|des|la|les){_BLANK}+)*"
    f"{_BLANK}*{_STEM}{_LETTER}*{_AND}"
)
_CLAIM = "^[ \u00a0]*claims?[ \u00a0]*$"


def sounds_like_one(kind: ir.StringValue) -> ir.BooleanValue:
    """Whether a kind of contact is called a complaint, in French or English.

    A word with a known stem is enough: “Réclamations”, “customer complaint”, “Réclamation
    produit”. What denies it is none: “no complaint”, “hors réclamation”. A “claim” is one where
    it says nothing more: what insurers call claims is their trade.
    """
    said = kind.lower()
    return said.re_replace(_DENIED, " ").re_search(_STEM) | said.re_search(_CLAIM)


def is_complaint(contacts: ir.Table) -> ir.BooleanValue:
    """Whether each contact is a complaint: what the column says, else what its kind is called."""
    if "is_complaint" in contacts.columns:
        return contacts.is_complaint.fill_null(False)
    if "kind" in contacts.columns:
        return sounds_like_one(contacts.kind).fill_null(False)
    return ibis.literal(False)


def not_told(book: Book) -> Message | None:
    """Why a book does not say which contacts are complaints (None: it does)."""
    contacts = book.tables["interactions"]
    held = next((name for name in ("is_complaint", "kind") if name in contacts.columns), None)

    def look() -> bool:
        if held is None:
            return False
        row = book.rows(contacts.aggregate(n=contacts.count(), told=contacts[held].count()))[0]
        return bool(row["told"] or not row["n"])

    if book.once("complaints told", look):
        return None
    return msg(
        "The data do not say which contacts are complaints: add a column with the kind of each"
        " contact, or one that says yes or no."
    )


def kinds_without(book: Book) -> Message | None:
    """Which kinds of contact there are, where none of them sounds like a complaint."""
    contacts = book.tables["interactions"]
    if "is_complaint" in contacts.columns or "kind" not in contacts.columns:
        return None

    def look() -> Message | None:
        kinds = contacts.filter(contacts.kind.notnull())
        counted = kinds.group_by("kind").aggregate(n=kinds.count())
        counted = counted.mutate(complaint=sounds_like_one(counted.kind))
        most = [counted.complaint.desc(), counted.n.desc(), counted.kind]
        rows = book.rows(counted.order_by(most).limit(KINDS_SHOWN))
        if not rows or rows[0]["complaint"]:
            return None
        return msg(
            "None of the kinds of contact sounds like a complaint; the most frequent are: {kinds}.",
            kinds=[row["kind"] for row in rows],
        )

    return book.once("kinds without a complaint", look)
