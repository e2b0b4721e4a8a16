"""Retention analytics."""
