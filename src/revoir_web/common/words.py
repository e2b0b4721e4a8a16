"""The core's messages in the application: shown in the reader's language, kept as JSON."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.translation import get_language

from revoir.language import LANGUAGES, Calendar, Message, Money, Number, Percent


def language() -> str:
    """The language of whoever is being answered."""
    code = (get_language() or "fr")[:2]
    return code if code in LANGUAGES else "fr"


def heading(name: str) -> str:
    """The name of a column that only the data know, as people write it.

    Examples:
        >>> heading("connu_par")
        'Connu par'
    """
    spaced = name.replace("_", " ").strip()
    return spaced[:1].upper() + spaced[1:]


def to_json(message: Message | None) -> dict[str, Any] | None:
    """A message as plain values that `from_json` reads again."""
    return None if message is None else plain(message)


def from_json(held: dict[str, Any] | None) -> Message | None:
    """The message that `to_json` kept."""
    if held is None:
        return None
    message = made(held)
    return message if isinstance(message, Message) else None


def plain(value: Any) -> Any:
    """What JSON keeps of a value, until `made` makes it again."""
    match value:
        case Message():
            return {
                "$": "message",
                "msgid": value.msgid,
                "params": {name: plain(held) for name, held in value.params.items()},
                "plural": value.plural,
                "n": value.n,
            }
        case Percent():
            return {"$": "percent", "value": value.value, "digits": value.digits}
        case Money():
            amount = str(value.value)
            held = {"value": amount, "currency": value.currency, "digits": value.digits}
            return {"$": "money", **held}
        case Number():
            kept: dict[str, Any] = {"value": value.value, "digits": value.digits}
            return {"$": "number", "signed": value.signed, **kept}
        case Calendar():
            return {"$": "calendar", "value": value.value.isoformat(), "pattern": value.pattern}
        case dt.datetime():
            return {"$": "datetime", "value": value.isoformat()}
        case dt.date():
            return {"$": "date", "value": value.isoformat()}
        case Decimal():
            return {"$": "decimal", "value": str(value)}
        case list() | tuple():
            return [plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
    return str(value)


def made(held: Any) -> Any:
    """The value that `plain` kept."""
    if isinstance(held, list):
        return [made(item) for item in held]
    if not isinstance(held, dict):
        return held
    match held.get("$"):
        case "message":
            params = {name: made(value) for name, value in held["params"].items()}
            return Message(held["msgid"], params, held.get("plural"), held.get("n"))
        case "percent":
            return Percent(held["value"], held["digits"])
        case "money":
            return Money(Decimal(held["value"]), held["currency"], held["digits"])
        case "number":
            return Number(held["value"], held["digits"], held["signed"])
        case "calendar":
            return Calendar(dt.date.fromisoformat(held["value"]), held["pattern"])
        case "datetime":
            return dt.datetime.fromisoformat(held["value"])
        case "date":
            return dt.date.fromisoformat(held["value"])
        case "decimal":
            return Decimal(held["value"])
    return held
