"""A worker in a process of its own, that tests kill: database, data folder and lake are given."""

from __future__ import annotations

import sys


def main() -> None:
    import django
    from django.conf import settings

    database, data, lake = sys.argv[1:]
    settings.DATABASES["default"]["NAME"] = database
    settings.DATA, settings.LAKE = data, lake
    django.setup()
    from revoir_web.common.worker import Stop, Worker
    from revoir_web.ingest import actions

    actions.AFTERWARDS = ()
    stop = Stop()
    stop.on_signals()
    Worker(threads=2, stop=stop).work()


if __name__ == "__main__":
    main()
