"""The shop's tables as the files that a till, a web shop and a help desk export."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from revoir.datasets.shop import catalogue
from revoir.datasets.shop.tables import local_of
from revoir.files import whole

Rows = list[list[str]]

_ENGLISH = (
    {
        "boutique": "shop",
        "site": "website",
        "téléphone": "phone",
        "Payée": "Paid",
        "Retour": "Return",
        "Annulée": "Cancelled",
        "Thés verts": "Green teas",
        "Thés noirs": "Black teas",
        "Thés blancs et oolongs": "White teas and oolongs",
        "Infusions": "Herbal teas",
        "Épicerie fine": "Fine groceries",
        "Coffrets": "Gift boxes",
        "Accessoires": "Accessories",
        "Box Découverte": "Discovery box",
        "Box Gourmande": "Gourmet box",
        "Box Prestige": "Prestige box",
        "Changement de formule": "Change of plan",
        "Trop cher": "Too expensive",
        "J’ai trop de thé": "I have too much tea",
        "Livraison": "Delivery",
        "Choix des thés": "Choice of teas",
        "Cadeau terminé": "The gift ended",
        "Déménagement": "Moved house",
        "Réclamation": "Complaint",
        "Question produit": "Product question",
        "Suivi de commande": "Order tracking",
        "Résolu": "Solved",
        "Ouvert": "Open",
        "E-mail": "E-mail",
        "Téléphone": "Phone",
        "Boutique": "Shop",
        "visite": "visit",
        "fiche_produit": "product_page",
        "panier": "basket",
        "commande": "order",
        "ordinateur": "computer",
        "tablette": "tablet",
        "Bouche-à-oreille": "Word of mouth",
        "Passage devant la boutique": "Passing by",
        "Moteur de recherche": "Search engine",
        "Marché de Noël": "Christmas market",
        "BIENVENUE10": "WELCOME10",
    }
    | dict(
        catalogue.COMMENTS_GOOD
        + catalogue.COMMENTS_FAIR
        + catalogue.COMMENTS_POOR
        + catalogue.COMMENTS_LATE
    )
    | {french: english for pairs in catalogue.SUBJECTS.values() for french, english in pairs}
)


class _Writer:
    """Writes cells the way a language's spreadsheets do."""

    def __init__(self, language: str) -> None:
        if language not in ("fr", "en"):
            raise ValueError(f"no language {language!r}; there is fr, en")
        self.french = language == "fr"

    def words(self, column: Any) -> list[str]:
        texts = ["" if one is None else str(one) for one in column.to_pylist()]
        return texts if self.french else [_ENGLISH.get(one, one) for one in texts]

    def plain(self, column: Any) -> list[str]:
        return ["" if one is None else str(one) for one in column.to_pylist()]

    def yes_no(self, column: Any) -> list[str]:
        yes, no = ("oui", "non") if self.french else ("yes", "no")
        return [yes if one else no for one in column.to_pylist()]

    def amounts(self, column: Any) -> list[str]:
        texts = ["" if one is None else f"{one:.2f}" for one in column.to_pylist()]
        return [one.replace(".", ",") for one in texts] if self.french else texts

    def wholes(self, column: Any) -> list[str]:
        return ["" if one is None else str(int(one)) for one in column.to_pylist()]

    def days(self, column: Any) -> list[str]:
        return [self._day(one) for one in _iso(column, "D")]

    def times(self, column: Any) -> list[str]:
        """Moments in UTC, on the clock of the shop, to the minute."""
        local = local_of(column.to_numpy(zero_copy_only=False).astype("datetime64[us]"))
        return [
            "" if one == "NaT" else f"{self._day(one[:10])} {one[11:16]}"
            for one in np.datetime_as_string(local, "s").tolist()
        ]

    def _day(self, iso: str) -> str:
        if iso == "NaT":
            return ""
        return f"{iso[8:10]}/{iso[5:7]}/{iso[:4]}" if self.french else iso

    def save(
        self, path: Path, header: Sequence[str], columns: Sequence[list[str]], spoil: Spoil
    ) -> Path:
        rows = [list(row) for row in zip(*columns, strict=True)]
        spoil(rows, self.french)
        encoding = "utf-8-sig" if self.french else "utf-8"
        with whole(path) as draft, draft.open("w", encoding=encoding, newline="") as file:
            out = csv.writer(file, delimiter=";" if self.french else ",", lineterminator="\r\n")
            out.writerow(header)
            out.writerows(rows)
        return path


Spoil = Callable[[Rows, bool], None]


def _iso(column: Any, unit: Any) -> list[str]:
    values = column.to_numpy(zero_copy_only=False).astype(f"datetime64[{unit}]")
    return [str(one) for one in np.datetime_as_string(values, unit)]


def write(tables: dict[str, Any], folder: Path, language: str) -> list[Path]:
    """Write the files of `Shop.write`."""
    to = _Writer(language)
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _customers(tables["customers"], to, folder),
        _orders(tables["orders"], tables["order_lines"], to, folder),
        _subscriptions(tables["subscriptions"], to, folder),
        _responses(tables["responses"], to, folder),
        _interactions(tables["interactions"], to, folder),
        _events(tables["events"], to, folder),
    ]


def _customers(table: Any, to: _Writer, folder: Path) -> Path:
    titles = {"F": "Mme" if to.french else "Ms", "M": "M." if to.french else "Mr"}
    columns = [
        to.plain(table["customer_id"]),
        [titles[one] for one in table["gender"].to_pylist()],
        *(to.plain(table[name]) for name in ("first_name", "last_name", "email", "phone")),
        to.days(table["birth_date"]),
        *(to.plain(table[name]) for name in ("street", "postcode", "city", "region", "country")),
        to.days(table["joined_at"]),
        to.yes_no(table["consent"]),
        to.words(table["origin"]),
    ]
    header = (
        (
            "N° client",
            "Civilité",
            "Prénom",
            "Nom",
            "Courriel",
            "Téléphone",
            "Date de naissance",
            "Adresse",
            "Code postal",
            "Ville",
            "Région",
            "Pays",
            "Client depuis",
            "Newsletter",
            "Connu par",
        )
        if to.french
        else (
            "Customer ID",
            "Title",
            "First name",
            "Last name",
            "Email",
            "Phone",
            "Birth date",
            "Address",
            "Postcode",
            "City",
            "Region",
            "Country",
            "Customer since",
            "Newsletter",
            "Known by",
        )
    )
    return to.save(
        folder / ("clients.csv" if to.french else "customers.csv"), header, columns, _twice(2)
    )


def _orders(orders: Any, lines: Any, to: _Writer, folder: Path) -> Path:
    place = {name: index for index, name in enumerate(orders["order_id"].to_pylist())}
    of = [place[name] for name in lines["order_id"].to_pylist()]

    def by_line(cells: list[str]) -> list[str]:
        return [cells[index] for index in of]

    columns = [
        to.plain(lines["line_id"]),
        to.plain(lines["order_id"]),
        by_line(to.times(orders["ordered_at"])),
        to.plain(lines["customer_id"]),
        by_line(to.words(orders["channel"])),
        by_line(to.plain(orders["store"])),
        to.plain(lines["product_id"]),
        to.plain(lines["product"]),
        to.words(lines["category"]),
        to.wholes(lines["quantity"]),
        to.amounts(lines["unit_price"]),
        to.amounts(lines["discount"]),
        to.amounts(lines["amount"]),
        to.amounts(lines["margin"]),
        to.plain(orders["currency"].take(of)),
        by_line(to.words(orders["status"])),
        by_line(to.words(orders["promo_code"])),
    ]
    header = (
        (
            "Numéro ligne",
            "N° commande",
            "Date",
            "N° client",
            "Canal",
            "Magasin",
            "Référence",
            "Produit",
            "Catégorie",
            "Quantité",
            "Prix unitaire",
            "Remise",
            "Montant ligne",
            "Marge ligne",
            "Devise",
            "Statut",
            "Code promo",
        )
        if to.french
        else (
            "Line number",
            "Order number",
            "Date",
            "Customer ID",
            "Channel",
            "Store",
            "SKU",
            "Product",
            "Category",
            "Quantity",
            "Unit price",
            "Discount",
            "Line amount",
            "Margin",
            "Currency",
            "Status",
            "Promo code",
        )
    )
    name = "commandes.csv" if to.french else "orders.csv"
    return to.save(folder / name, header, columns, _spoil_orders)


def _subscriptions(table: Any, to: _Writer, folder: Path) -> Path:
    columns = [
        to.plain(table["subscription_id"]),
        to.plain(table["customer_id"]),
        to.words(table["plan"]),
        to.days(table["started_at"]),
        to.days(table["ended_at"]),
        to.amounts(table["monthly_amount"]),
        to.plain(table["currency"]),
        to.words(table["reason"]),
    ]
    header = (
        (
            "Numéro contrat",
            "N° client",
            "Formule",
            "Date début",
            "Date fin",
            "Mensualité",
            "Devise",
            "Motif résiliation",
        )
        if to.french
        else (
            "Contract ID",
            "Customer ID",
            "Plan",
            "Start date",
            "End date",
            "Monthly price",
            "Currency",
            "Cancellation reason",
        )
    )
    name = "abonnements.csv" if to.french else "subscriptions.csv"
    return to.save(folder / name, header, columns, _broken(3, ("29/02/2023",), ("2023-02-29",)))


def _responses(table: Any, to: _Writer, folder: Path) -> Path:
    size = table.num_rows // 3  # three questions a questionnaire, one after the other
    first = table.slice(0, size)
    scores = [to.wholes(table.slice(part * size, size)["score"]) for part in range(3)]
    ids = [name.rpartition("-")[0] for name in first["response_id"].to_pylist()]
    columns = [
        ids,
        to.plain(first["customer_id"]),
        to.days(first["responded_on"]),
        *scores,
        to.words(first["comment"]),
    ]
    header = (
        (
            "ID réponse",
            "N° client",
            "Date réponse",
            "NPS",
            "Satisfaction",
            "Facilité",
            "Commentaire",
        )
        if to.french
        else (
            "Response ID",
            "Customer ID",
            "Response date",
            "NPS",
            "Satisfaction",
            "CES",
            "Comments",
        )
    )

    def spoil(rows: Rows, french: bool) -> None:
        _broken(2, ("32/01/2025", "13/13/2024"), ("2025-01-32", "2024-13-13"))(rows, french)
        _broken(3, ("dix",), ("ten",))(rows, french)

    return to.save(folder / ("avis.csv" if to.french else "reviews.csv"), header, columns, spoil)


def _interactions(table: Any, to: _Writer, folder: Path) -> Path:
    columns = [
        to.plain(table["interaction_id"]),
        to.plain(table["customer_id"]),
        *(to.times(table[name]) for name in ("opened_at", "first_response_at", "resolved_at")),
        to.words(table["channel"]),
        to.words(table["kind"]),
        to.yes_no(table["is_complaint"]),
        to.words(table["status"]),
        to.wholes(table["satisfaction"]),
        to.words(table["text"]),
    ]
    header = (
        (
            "Numéro dossier",
            "N° client",
            "Ouvert le",
            "Première réponse",
            "Résolu le",
            "Canal",
            "Type",
            "Réclamation",
            "Statut",
            "Satisfaction ticket",
            "Sujet",
        )
        if to.french
        else (
            "Ticket ID",
            "Customer ID",
            "Opened",
            "First response",
            "Resolved",
            "Channel",
            "Ticket type",
            "Complaint",
            "Status",
            "Rating",
            "Subject",
        )
    )
    name = "contacts_sav.csv" if to.french else "service.csv"
    spoil = _broken(2, ("hier", "31/04/2025 10:00"), ("yesterday", "2025-04-31 10:00"))
    return to.save(folder / name, header, columns, spoil)


def _events(table: Any, to: _Writer, folder: Path) -> Path:
    columns = [
        to.plain(table["event_id"]),
        to.plain(table["customer_id"]),
        to.times(table["occurred_at"]),
        to.words(table["event"]),
        to.plain(table["session_id"]),
        to.words(table["channel"]),
    ]
    header = (
        (
            "ID événement",
            "N° client",
            "Horodatage",
            "Événement",
            "Session",
            "Appareil",
        )
        if to.french
        else ("Message ID", "Customer ID", "Timestamp", "Event", "Session", "Device")
    )
    name = "visites.csv" if to.french else "visits.csv"
    return to.save(folder / name, header, columns, _twice(0))


def _twice(count: int) -> Spoil:
    """Write some rows a second time, as an export that was pasted together does."""

    def spoil(rows: Rows, french: bool) -> None:
        for index in _places(len(rows), count):
            rows.insert(index, list(rows[index]))

    return spoil


def _broken(column: int, in_french: Sequence[str], in_english: Sequence[str]) -> Spoil:
    """Add rows like others, each with a number of its own, with a cell that cannot be read."""

    def spoil(rows: Rows, french: bool) -> None:
        cells = in_french if french else in_english
        for cell, index in zip(cells, _places(len(rows), len(cells)), strict=True):
            row = list(rows[index])
            row[0] = f"X{column}{index:05d}"
            row[column] = cell
            rows.insert(index, row)

    return spoil


def _spoil_orders(rows: Rows, french: bool) -> None:
    """Seven lines, each of an order of its own, that cannot be read, and three written twice."""
    _twice(3)(rows, french)
    dates = ("31/02/2025 10:30", "00/00/0000", "31/06/2024 16:05")
    broken = [
        *((2, one) for one in dates),
        (12, "douze euros"),
        (12, "abc"),
        (12, "1e309"),
        (9, "une"),
    ]
    for number, (column, cell) in enumerate(broken):
        index = _places(len(rows), len(broken))[number]
        row = list(rows[index])
        row[0], row[1] = f"X{number:07d}", f"CMD-X{number:05d}"
        row[column] = cell
        rows.insert(index, row)


def _places(size: int, count: int) -> list[int]:
    """Rows spread over a file, the last ones first, so that inserting moves none to come."""
    return [size * (count - part) // (count + 1) for part in range(count)]
