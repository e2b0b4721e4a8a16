"""Alerts: raised once, handled by people, closed when the customer is back or gone."""
