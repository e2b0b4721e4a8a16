"""The lake: the canonical tables of a company as Delta tables in a folder or a bucket."""

from revoir.store.lake import Lake, Landed
from revoir.store.place import is_bucket, is_lake

__all__ = ["Lake", "Landed", "is_bucket", "is_lake"]
