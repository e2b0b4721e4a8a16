"""What tests ask of the application as a program does."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from revoir_web.common.rights import Right


class Api:
    """A program with a key.

    Args:
        rights: The scopes of the key.
    """

    def __init__(self, *rights: Right) -> None:
        from revoir_web.accounts.models import ApiKey

        _key, text = ApiKey.make("test", [right.value for right in rights])
        self.headers = {"Authorization": f"Bearer {text}"}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """The answer of a call: ``api("get", "/jobs")``."""
        more: dict[str, Any] = {}
        if body is not None:
            more = {"data": json.dumps(body), "content_type": "application/json"}
        return getattr(Client(), method)(f"/api{path}", headers=self.headers, **more)

    def everything(self, path: str) -> list[Any]:
        """The rows of all pages of a list."""
        found: list[Any] = []
        cursor = ""
        while True:
            page = self("get", f"{path}{cursor}").json()
            found += page["items"]
            if not page["next"]:
                return found
            cursor = f"{'&' if '?' in path else '?'}cursor={page['next']}"


def text_of(response: Any) -> str:
    """The text of a file that is sent piece by piece, without its mark of UTF-8."""
    return b"".join(response.streaming_content).decode("utf-8-sig")
