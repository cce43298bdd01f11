"""The OpenAPI 3.1 document, made of the operations and of the very types that the answers are made of.

So it cannot tell of anything that is not answered, nor leave out what is. The sentences come from the catalogues, one
for each operation, parameter, field and problem, in the language that is asked for.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final

from pydantic.json_schema import models_json_schema

from config.web.words import LANGUAGE_TAGS, Words
from queues.web.api import models
from queues.web.api.asked import Parameters
from queues.web.api.door import TITLES
from queues.web.api.operations import ROOT, Operation

VERSION: Final = "1.0.0"
TEMPLATE: Final = "#/components/schemas/{model}"
JSON, PROBLEM = "application/json", "application/problem+json"
# What any operation may answer instead.
EVERYWHERE: Final = (
    "asked_wrongly",
    "wrong_token",
    "out_of_scope",
    "not_for_that",
    "too_often",
    "broken",
    "away",
)

Tree = dict[str, Any]


def document_of(operations: Sequence[Operation], words: Words, locale: str) -> Tree:
    say = partial(words, locale)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": say("api.title"),
            "version": VERSION,
            "description": say("api.what"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "x-language": LANGUAGE_TAGS[locale],
        "servers": [{"url": ROOT}],
        "security": [{"token": []}],
        "paths": {each.path: {"get": _operation(each, say)} for each in operations},
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": say("api.token")}
            },
            "schemas": _schemas(operations, say),
            "headers": {
                "Retry-After": {"description": say("api.header.retry_after"), "schema": {"type": "string"}},
                "ETag": {"description": say("api.header.etag"), "schema": {"type": "string"}},
                "Link": {"description": say("api.header.link"), "schema": {"type": "string"}},
                "WWW-Authenticate": {"description": say("api.header.www"), "schema": {"type": "string"}},
            },
        },
    }


def _operation(operation: Operation, say: Any) -> Tree:
    told: Tree = {
        "operationId": operation.name,
        "summary": say(f"api.op.{operation.name}.name"),
        "description": say(f"api.op.{operation.name}.what"),
        "security": [{"token": [str(operation.scope)]}],
        "parameters": [*_in_path(operation, say), *_in_query(operation, say)],
        "responses": {"200": _good(operation, say)},
    }
    if operation.is_kept:
        told["parameters"].append(_if_none_match(say))
        told["responses"]["304"] = {"description": say("api.answer.unchanged")}
    for status, names in _by_status(
        (*EVERYWHERE, "no_token", *(("absent",) if operation.in_path else ()))
    ).items():
        told["responses"][status] = _bad(status, names, say)
    return told


def _good(operation: Operation, say: Any) -> Tree:
    schema = {"$ref": TEMPLATE.format(model=operation.answer.__name__)}
    headers = ["ETag"] if operation.is_kept else []
    if "next" in operation.answer.model_fields:
        headers.append("Link")
    told: Tree = {"description": say("api.answer.good"), "content": {JSON: {"schema": schema}}}
    if headers:
        told["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    return told


def _by_status(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(str(TITLES[name][0]), []).append(name)
    return dict(sorted(found.items()))


def _bad(status: str, names: Sequence[str], say: Any) -> Tree:
    told: Tree = {
        "description": " ".join(say(f"api.problem.{name}") for name in names),
        "content": {PROBLEM: {"schema": {"$ref": TEMPLATE.format(model="Problem")}}},
    }
    headers = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
    if status in headers:
        told["headers"] = {headers[status]: {"$ref": f"#/components/headers/{headers[status]}"}}
    return told


def _if_none_match(say: Any) -> Tree:
    told = say("api.header.if_none_match")
    return {
        "name": "If-None-Match",
        "in": "header",
        "required": False,
        "description": told,
        "schema": {"type": "string"},
    }


def _in_path(operation: Operation, say: Any) -> list[Tree]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": say(f"api.field.{name}"),
            "schema": {"type": "string"},
        }
        for name in operation.in_path
    ]


def _in_query(operation: Operation, say: Any) -> list[Tree]:
    schema = _parameters_schema(operation.parameters)
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": say(f"api.parameter.{name}"),
            "schema": _flattened(each, schema.get("$defs", {})),
        }
        for name, each in schema.get("properties", {}).items()
    ]


@cache
def _parameters_schema(kind: type[Parameters]) -> Tree:
    return kind.model_json_schema(by_alias=True)


def _flattened(schema: Tree, defs: Mapping[str, Tree]) -> Tree:
    """Without references, titles and the null that means not given."""
    told = {name: value for name, value in schema.items() if name not in ("title", "default")}
    if "$ref" in told:
        return _flattened(defs[told["$ref"].rpartition("/")[2]], defs)
    if "anyOf" in told:
        several = [_flattened(each, defs) for each in told["anyOf"] if each.get("type") != "null"]
        return several[0] if len(several) == 1 else _joined(several)
    told.pop("description", None)
    return told


def _joined(several: Sequence[Tree]) -> Tree:
    """Words of one list and of another are words of one list."""
    words = [word for each in several for word in each.get("enum", [each.get("const")])]
    return {"type": "string", "enum": words}


def _schemas(operations: Sequence[Operation], say: Any) -> Tree:
    found = copy.deepcopy(_plain_schemas(tuple(dict.fromkeys(each.answer for each in operations))))
    for schema in found.values():
        schema.pop("title", None)
        schema.pop("description", None)
        for field, each in schema.get("properties", {}).items():
            each.pop("title", None)
            each["description"] = say(f"api.field.{field}")
    return found


@cache
def _plain_schemas(answers: tuple[type[models.Answer], ...]) -> Tree:
    wanted: Any = [(each, "serialization") for each in (*answers, models.Problem)]
    _, told = models_json_schema(wanted, ref_template=TEMPLATE)
    return dict(told["$defs"])
