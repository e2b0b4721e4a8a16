"""A lake in a bucket: every command takes its address; what it asks for is in the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import revoir
from revoir.errors import EngineError, RevoirError, UsageError
from revoir.store import is_bucket

URL = "s3://shop/data/lake"
ORDERS = "order_id;client;date;montant\nA1;C1;05/01/2024;12,50\nA2;C2;17/02/2024;8,00\n"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An object store that the environment leads to."""
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "bucket_server.py")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with server:
        assert server.stdout is not None
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.stdout.readline().strip()}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "eu-west-3",
            "AWS_ACCESS_KEY_ID": "test-key",
            "AWS_SECRET_ACCESS_KEY": "secret",
        }.items():
            monkeypatch.setenv(name, value)
        yield
        server.communicate("")


def run(*words: str) -> tuple[int, str, str]:
    from revoir.cli import app

    found = CliRunner().invoke(app, list(words), env={"REVOIR_LANG": "en"})
    if isinstance(found.exception, RevoirError):  # `main` tells it so
        return found.exception.exit_code, found.stdout, found.exception.text("en")
    return found.exit_code, found.stdout, found.stderr


def test_every_command_takes_the_address_of_a_bucket(held: None, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS)
    folder = str(tmp_path / "lake")
    for place in (URL, folder):
        assert run("lake", "create", place)[0] == 0
        assert run("lake", "append", place, str(file), "--batch", "one")[0] == 0
    for words in (["metric", "revenue"], ["metric", "customers_active"]):
        code, far, said = run(*words, URL, "--format", "json")
        assert code == 0, said
        assert json.loads(far) == json.loads(run(*words, folder, "--format", "json")[1])
    code, told, said = run("check", URL, "--format", "json")
    assert code == 0, said
    assert {row["table"]: row["rows"] for row in json.loads(told)["tables"]}["orders"] == 2
    report = tmp_path / "report.json"
    code, _told, said = run("report", URL, "--output", str(report))
    assert code == 0, said
    assert report.is_file()
    assert run("lake", "undo", URL, "one")[0] == 0


def test_from_python_the_environment_is_not_read(held: None, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(ORDERS)
    run("lake", "create", URL)
    run("lake", "append", URL, str(file))
    options = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    book = revoir.read(URL, storage_options=options)
    assert len(book.rows(book.table("orders"))) == 2
    with pytest.raises(UsageError, match="measured alone"):
        revoir.read([URL, file], storage_options=options)


def test_a_bucket_that_refuses_is_told_in_words(
    held: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    code, _out, said = run("metric", "revenue", URL)
    assert code != 0
    assert "The bucket cannot be read" in said
    assert "AWS_" in said
    assert "secret" not in said
    options = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    with pytest.raises(EngineError, match="cannot be read"):
        revoir.read(URL, storage_options=options)
    with pytest.raises(UsageError, match="AWS_ENDPOINT_URL is no address"):
        revoir.read(URL, storage_options={"AWS_ENDPOINT_URL": "nonsense", "AWS_REGION": "x"})


def test_where_nothing_is_that_is_said(held: None) -> None:
    code, _out, said = run("report", "s3://shop/nothing")
    assert code != 0
    assert "There is no lake here" in said


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("s3://shop/lake", True), ("S3A://shop/lake", True), ("gs://shop/lake", True),
        ("az://box/lake", True), ("abfss://box@account.dfs.core.windows.net/lake", True),
        ("s3", False), ("s3:/shop", False), ("postgresql://host/shop", False),
        ("https://example.com/x.csv", False), ("file:///lake", False), (Path("s3"), False),
    ],
)  # fmt: skip
def test_addresses_of_buckets_are_known(location: str | Path, expected: bool) -> None:
    from revoir.book import is_warehouse

    assert is_bucket(location) is expected
    if expected:
        assert not is_warehouse(str(location))
