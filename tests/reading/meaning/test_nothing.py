"""Cells that say nothing, and titles that say who somebody is or what they do."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Read


def test_what_databases_write_of_nothing(read: Read, rows: Any) -> None:
    """Customers lived in the region NULL, and their title of work was their gender."""
    reading = read(
        "customerID,last_name,contactTitle,city,region,fax,email\n"
        "C1,Null,Owner,Paris,NULL,NULL,a@x.fr\nC2,NULL,Sales Manager,NULL,IDF,NULL,b@x.fr\n"
    )
    first, second = sorted(rows(reading, "customers"), key=lambda row: row["customer_id"])
    assert (first["last_name"], second["last_name"]) == ("Null", "NULL")
    assert (first["region"], second["region"], second["city"]) == (None, "IDF", None)
    assert (first["fax"], second["fax"]) == (None, None)
    assert "gender" not in reading.tables["customers"].columns
    assert first["contact_title"] == "Owner"


@pytest.mark.parametrize("cells", [("Mme", "M."), ("F", "H"), ("1", "2"), ("Femme", "Homme")])
def test_a_title_of_persons_is_their_gender(
    read: Read, column: Any, cells: tuple[str, str]
) -> None:
    text = "".join(f"C{n},{cell},c{n}@x.fr\n" for n, cell in enumerate(cells))
    assert column(read(f"client,titre,email\n{text}"), "customers", "gender") == list(cells)
