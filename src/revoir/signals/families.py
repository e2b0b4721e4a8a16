"""Every family of signals; importing this module declares them all."""

from revoir.signals import purchases, rhythm, service, subscriptions, visits, voice

FAMILIES = (purchases, rhythm, service, voice, visits, subscriptions)
