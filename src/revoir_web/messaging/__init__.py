"""Messages that leave the application: an outbox, and their delivery by e-mail."""
