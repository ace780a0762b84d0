"""The API describes itself: OpenAPI 3.1, made from the same rows that make the routes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from cloud_controller.web.faults import MEDIA_TYPE, STATUS, ProblemDetails
from cloud_controller.web.routes import FILE_FIELD, Route, Who
from common.rules.accounts import Permission

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

_OPERATOR: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": (
        "The controller's own token, or one that an owner has made with some permissions in some "
        "stores. Each operation names the permission that it asks for: "
        + ", ".join(f"`{each}`" for each in Permission)
        + "."
    ),
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
            "responses": _refusals(refs),
            "securitySchemes": {"operator": _OPERATOR},
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
        "description": _who_may(route),
        "tags": sorted(route.roles) or ["every"],
        "parameters": _parameters(route),
        "responses": {
            str(route.status): _answer(route, refs),
            **{str(status): _refusal(status) for status in sorted(_refused(route))},
            "default": {
                "description": "A problem, with a stable code.",
                "content": {MEDIA_TYPE: {"schema": refs[ProblemDetails, "serialization"]}},
            },
        },
    }
    if route.permission is not None:
        operation["security"] = [{"operator": [route.permission.value]}]
    body = _body(route, refs)
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _who_may(route: Route) -> str:
    """Return who may call a route, as a sentence."""
    if route.permission is None:
        return f"For {route.who.value}."
    where = "in the stores of what the path names" if _NAME.search(route.path) else "in every store"
    where = "in some store; the answer keeps to those" if route.by_store else where
    return f"For an operator, or a token, with `{route.permission.value}` {where}."


def _refused(route: Route) -> set[int]:
    """Return with what a route may say no."""
    body = {400, 408, 413, 415, 422} if _has_body(route) else set()
    return {
        *body,
        *({401, 403} if route.permission is not None else ()),
        *({404} if _NAME.search(route.path) else ()),
        *({409} if route.method != "GET" else ()),
        *({400, 422} if route.takes_key else ()),
        *({422} if route.asks is not None else ()),
        *({429} if route.calls_a_minute or route.calls_a_minute_in_all else ()),
        503,
    }


def _refusal(status: int) -> dict[str, str]:
    return {"$ref": f"#/components/responses/{_key_of(status)}"}


def _key_of(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "").replace("-", "")


def _refusals(refs: Refs) -> dict[str, Any]:
    """Return the problems by their status, each with the codes that it may have."""
    codes: dict[int, list[str]] = {}
    for fault, status in STATUS.items():
        codes.setdefault(status, []).append(fault.code)
    return {
        _key_of(status): {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(sorted(names))}.",
            "content": {MEDIA_TYPE: {"schema": refs[ProblemDetails, "serialization"]}},
        }
        for status, names in sorted(codes.items())
    }


def _has_body(route: Route) -> bool:
    is_read = route.asks is not None and route.method != "GET"
    return is_read or route.file_bytes_max is not None or route.who is Who.PROVIDER


def _body(route: Route, refs: Refs) -> dict[str, Any] | None:
    """Return what the body of a call has to be; None where none is read."""
    if route.who is Who.PROVIDER:
        return {"application/json": {"schema": {"type": "object"}}}
    if route.file_bytes_max is not None:
        file = {"type": "string", "contentMediaType": "application/octet-stream"}
        form = {"type": "object", "required": [FILE_FIELD], "properties": {FILE_FIELD: file}}
        return {"multipart/form-data": {"schema": form}}
    if route.asks is None or route.method == "GET":
        return None
    return {"application/json": {"schema": refs[route.asks, "validation"]}}


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
    plain = {"type": "object" if route.media_type == "application/json" else "string"}
    schema = plain if route.answers is None else refs[route.answers, "serialization"]
    return {
        "description": HTTPStatus(route.status).phrase,
        "content": {route.media_type: {"schema": schema}},
    }
