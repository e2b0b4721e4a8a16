"""What names a customer, to be looked for in texts that are to name nobody."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from revoir_web.common import bulk
from revoir_web.customers.models import Customer, Identifier
from revoir_web.customers.text import fold, phone_spellings

LEAST = 4
"""A word of fewer letters stands in too much that names nobody."""
_LOOK_UP = 5000


def padded(text: str) -> str:
    """A text as its words are looked for in it.

    Examples:
        >>> padded("Mme d'Œuvre, 2e étage")
        ' mme d oeuvre 2e etage '
    """
    return f" {fold(text)} "


def names_of(ids: Iterable[str]) -> dict[str, list[str]]:
    """What names customers: names, addresses, numbers.

    Args:
        ids: The customers; who was merged into another one is called as that one, too.

    Returns:
        Customer → texts as `padded` writes them.
    """
    found: dict[str, dict[str, None]] = {}
    wanted, stay = set(ids), dict[str, str]()
    for part in bulk.in_parts(sorted(wanted), _LOOK_UP):
        merged = Customer.objects.filter(pk__in=part, merged_into__isnull=False)
        stay.update(merged.values_list("pk", "merged_into_id"))
    for part in bulk.in_parts(sorted(wanted.union(stay.values())), _LOOK_UP):
        rows = Customer.objects.filter(pk__in=part).values_list(
            "pk", "first_name", "last_name", "name", "email", "phone", "address"
        )
        for id, first, last, name, email, phone, address in rows:
            # A first name alone is shared, and is a colour, a flower, a town.
            whole = [f"{first} {last}", f"{last} {first}"] if first and last else []
            held = found.setdefault(id, {})
            _add(held, [*last.split(), *whole, name, email, address])
            held.update(dict.fromkeys(_numbers(phone)))
        numbers = Identifier.objects.filter(customer_id__in=part).exclude(kind="person")
        for id, kind, value in numbers.values_list("customer_id", "kind", "value"):
            if kind == "phone":
                found[id].update(dict.fromkeys(_numbers(value)))
            else:
                _add(found[id], [value])
    for gone, kept in stay.items():
        found.setdefault(gone, {}).update(found.get(kept, {}))
    return {id: list(values) for id, values in found.items() if id in wanted}


@lru_cache(maxsize=50_000)
def _numbers(phone: str) -> tuple[str, ...]:
    """A telephone number as files write it, as `padded` has it."""
    return tuple(dict.fromkeys(padded(text) for text in phone_spellings(phone)))


def _add(held: dict[str, None], texts: Iterable[str]) -> None:
    for text in texts:
        words = fold(text)
        # A short number may be a quantity, a year, a size.
        if len(words) >= (LEAST if not words.isdecimal() else LEAST + 2):
            held[f" {words} "] = None


def is_named(text: str, names: Iterable[str]) -> bool:
    """Whether a text names a customer.

    Args:
        text: Any text.
        names: As `names_of` gives them.

    Examples:
        >>> is_named("Pour Mme Lévy", [" levy "]), is_named("Levystraat", [" levy "])
        (True, False)
    """
    words = padded(text)
    return any(name in words for name in names)
