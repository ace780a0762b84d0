"""The API describes itself: OpenAPI 3.1, made from the same rows that make the routes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cloud_controller.web.faults import MEDIA_TYPE, ProblemDetails
from cloud_controller.web.routes import Route, Who

OPENAPI: Final = "3.1.0"
VERSION: Final = "1"

_REF = "#/components/schemas/{model}"
_NAME = re.compile(r"\{(\w+)\}")
_KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "Said again with the same key, the call gets the same answer and does nothing.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{16,128}$"},
}

Mode = Literal["validation", "serialization"]
Refs = Mapping[Any, dict[str, Any]]
"""How to refer to a model's schema, by the model and its mode."""


def document_of(routes: Sequence[Route], public_url: str) -> dict[str, Any]:
    """Return the OpenAPI document of the API's routes."""
    api = [route for route in routes if route.is_api]
    refs, definitions = models_json_schema(_models(api), ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in api:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Rusuban",
            "version": VERSION,
            "description": "The store that minds itself.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {"operator": {"type": "http", "scheme": "bearer"}},
        },
    }


def json_document_of(routes: Sequence[Route], public_url: str) -> str:
    """Return the OpenAPI document as it is served."""
    return json.dumps(document_of(routes, public_url))


def _models(routes: Sequence[Route]) -> list[tuple[type[BaseModel], Mode]]:
    models: dict[tuple[type[BaseModel], Mode], None] = {(ProblemDetails, "serialization"): None}
    for route in routes:
        if route.asks is not None:
            models[route.asks, "validation"] = None
        if route.answers is not None:
            models[route.answers, "serialization"] = None
    return list(models)


def _operation(route: Route, refs: Refs) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.act.__name__,
        "summary": route.summary,
        "tags": sorted(route.roles) or ["every"],
        "parameters": _parameters(route),
        "responses": {
            str(route.status): _answer(route, refs),
            "default": {
                "description": "A problem, with a stable code.",
                "content": {MEDIA_TYPE: {"schema": refs[ProblemDetails, "serialization"]}},
            },
        },
    }
    if route.who is Who.OPERATOR:
        operation["security"] = [{"operator": []}]
    if route.asks is not None and route.method != "GET":
        schema = refs[route.asks, "validation"]
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    told = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _NAME.findall(route.path)
    ]
    if route.takes_key:
        told.append(_KEY_HEADER)
    if route.method == "GET" and route.asks is not None:
        shape = route.asks.model_json_schema()
        required = shape.get("required", [])
        told += [
            {"name": name, "in": "query", "required": name in required, "schema": schema}
            for name, schema in shape["properties"].items()
        ]
    return told


def _answer(route: Route, refs: Refs) -> dict[str, Any]:
    schema = {"type": "string"} if route.answers is None else refs[route.answers, "serialization"]
    return {
        "description": HTTPStatus(route.status).phrase,
        "content": {route.media_type: {"schema": schema}},
    }
