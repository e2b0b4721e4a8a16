"""How data comes in: imports of files, sources asked again and again, events; and webhooks."""
