"""The documentation of the API as a page: every call, its right, what it takes and gives."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from revoir_web.common.rights import Right
from revoir_web.common.words import language


def reference(request: HttpRequest) -> HttpResponse:
    """Every call of the API."""
    from revoir_web.common.api import schema

    told = schema(language())
    parts = told["components"].get("schemas", {})
    groups: dict[str, list[dict[str, Any]]] = {}
    for route, methods in told["paths"].items():
        for method, held in methods.items():
            call = _call(route, method, held, parts)
            groups.setdefault(held["tags"][0], []).append(call)
    return render(
        request,
        "common/reference.html",
        {"groups": sorted(groups.items()), "base": request.build_absolute_uri("/").rstrip("/")},
    )


def _call(route: str, method: str, held: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    body = held.get("requestBody", {}).get("content", {})
    given = next((content["schema"] for content in body.values()), None)
    answers = [
        (status, answer.get("content", {}).get("application/json", {}).get("schema"))
        for status, answer in held["responses"].items()
        if int(status) < 300
    ]
    return {
        "route": route,
        "method": method.upper(),
        "summary": held["summary"],
        "text": held.get("description", ""),
        "rights": [Right(name) for name in held.get("x-rights", [])],
        "parameters": [
            {
                "name": part["name"],
                "place": part["in"],
                "required": part.get("required", False),
                "type": _type(part["schema"], parts),
                "text": part.get("description", ""),
            }
            for part in held["parameters"]
        ],
        "takes": _shown(given, parts) if given else None,
        "gives": [
            (status, _shown(schema, parts) if schema else None) for status, schema in answers
        ],
    }


def _type(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(part, parts) for part in schema["anyOf"]))
    if "$ref" in schema:
        return _type(parts[schema["$ref"].rpartition("/")[2]], parts)
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"[{_type(schema.get('items', {}), parts)}]"
    return str(schema.get("format") or schema.get("type") or "any")


def _shown(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    """A schema as JSON with types in the place of values."""
    return json.dumps(_example(schema, parts, 0), ensure_ascii=False, indent=2)


def _example(schema: dict[str, Any], parts: dict[str, Any], depth: int) -> Any:
    if depth > 6:
        return "…"
    if "$ref" in schema:
        return _example(parts[schema["$ref"].rpartition("/")[2]], parts, depth)
    if "anyOf" in schema:
        inner = [part for part in schema["anyOf"] if part.get("type") != "null"]
        if len(inner) == 1 and ("$ref" in inner[0] or inner[0].get("type") in ("array", "object")):
            return _example(inner[0], parts, depth)
        return _type(schema, parts)
    if schema.get("type") == "array":
        return [_example(schema.get("items", {}), parts, depth + 1)]
    if schema.get("type") == "object" and "properties" in schema:
        return {
            name: _example(part, parts, depth + 1) for name, part in schema["properties"].items()
        }
    return _type(schema, parts)
