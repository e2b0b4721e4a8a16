"""Whatever is sent to the API, it answers as it declares, and never with 500 (Schemathesis)."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from revoir_web.accounts.models import ApiKey
from revoir_web.common import api as door
from revoir_web.common.rights import Right

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.mark.django_db(transaction=True)
def test_each_call_answers_as_declared(live_server: Any, company: Any, settings: Any) -> None:
    settings.API_PER_MINUTE = 10**9
    _key, text = ApiKey.make("test", [right.value for right in Right])
    headers = {"Authorization": f"Bearer {text}"}
    door.addresses()
    declared = schemathesis.openapi.from_dict(door.api.get_openapi_schema(path_prefix="api/"))
    faults = []
    for found in declared.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @_few
        def try_(case: Any) -> None:
            case.call_and_validate(base_url=live_server.url, headers=headers, checks=CHECKS)

        try:
            try_()
        except Exception as error:
            faults.append(f"{operation.label}: {error}")
    assert not faults, "\n\n".join(faults)


_few = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
