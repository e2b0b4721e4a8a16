"""Models: what the past lets us expect, each held against the simple rule that it must beat."""
