"""`revoir demo` writes a shop's files in the language asked for, the same ones for a seed."""

import pytest
from typer.testing import CliRunner

from revoir.cli import app


def demo(*arguments):
    return CliRunner().invoke(app, ["demo", *map(str, arguments)])


@pytest.mark.parametrize(("lang", "name"), [("fr", "commandes.csv"), ("en", "orders.csv")])
def test_files_are_written_and_listed(tmp_path, lang, name):
    done = demo(tmp_path / "shop", "--customers", 60, "--lang", lang)
    assert done.exit_code == 0
    listed = done.stdout.split("\n")[:-1]
    assert str(tmp_path / "shop" / name) in listed
    assert {str(path) for path in (tmp_path / "shop").iterdir()} == set(listed)
    assert "Comptoir Séraphine" in done.stderr


def test_seed_chooses_the_shop(tmp_path):
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        demo(tmp_path / folder, "--customers", 60, "--seed", seed, "--lang", "fr")
    first, again, other = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in "abc"
    )
    assert first == again
    assert first["commandes.csv"] != other["commandes.csv"]


def test_a_shop_has_customers(tmp_path):
    assert demo(tmp_path, "--customers", 0).exit_code == 2
