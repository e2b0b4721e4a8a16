"""The engines that answer: DuckDB by default; PostgreSQL, Spark and others through Ibis."""

from revoir.engines.connect import connect, is_database_url, memory, reason_of, without_password
from revoir.engines.usable import usable
from revoir.engines.warehouse import day_of, is_before, open_tables

__all__ = [
    "connect",
    "day_of",
    "is_before",
    "is_database_url",
    "memory",
    "open_tables",
    "reason_of",
    "usable",
    "without_password",
]
