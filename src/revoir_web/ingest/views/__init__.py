"""Pages of imports, sources, events and webhooks."""
