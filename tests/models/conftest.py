import pyarrow as pa
import pytest

from revoir.book import Book
from revoir.engines.connect import memory


@pytest.fixture
def make_book():
    """Makes a book of tables given as Arrow or lists of rows, on an in-memory DuckDB."""

    def make(**tables):
        backend = memory(threads=1)
        made = {}
        for name, rows in tables.items():
            arrow = rows if isinstance(rows, pa.Table) else pa.Table.from_pylist(rows)
            made[name] = backend.create_table(name, arrow)
        return Book(made)

    return make
