"""The web application: a user of the analytics core."""
