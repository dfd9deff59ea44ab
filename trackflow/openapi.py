"""What the API is, as an OpenAPI 3.1 document made of the methods themselves: their verbs, types, words, and the scope that a key needs.

It is made of the code and the DocTypes as they are, of no site's data: the same on every site. docs/openapi.json is what
`bench trackflow openapi` prints.
"""

import inspect
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import frappe
import msgspec
from frappe.model import no_value_fields, table_fields
from werkzeug.wrappers import Response

import trackflow
from trackflow.access import scopes

Row = dict[str, Any]

VERSION = "3.1.0"
ERRORS = {
	"400": "An API key that is not used as it must be: `argument`, `two_logins`",
	"401": "Nobody is logged in, or the key does not work: `wrong_key`, `key_revoked`, `key_expired`",
	"403": "Not allowed, to guests, to this user or to this key",
	"404": "There is no such thing, or nothing that this user may see",
	"409": "It is there already",
	"417": "Something is wrong with what was sent; the answer says what, in words",
	"429": "Too many requests; `Retry-After` says how many seconds to wait",
}
# Frappe's types of fields; all others are texts.
_TYPES: dict[str, Row] = {
	**{kind: {"type": "integer"} for kind in ("Check", "Int")},
	**{kind: {"type": "number"} for kind in ("Currency", "Float", "Percent", "Duration", "Rating")},
	"JSON": {"type": ["string", "object", "array", "null"]},
	"Date": {"type": ["string", "null"], "examples": ["2027-01-31"]},
	"Datetime": {"type": ["string", "null"], "examples": ["2027-01-31 18:30:00"]},
}
_TEXT: Row = {"type": ["string", "null"]}
_OBJECT: Row = {"type": "object"}


def methods() -> dict[str, Callable]:
	"""The whitelisted methods of the app, by their path below it."""
	app = Path(frappe.get_app_path("trackflow"))
	for path in sorted(app.rglob("*.py")):
		parts = path.relative_to(app).with_suffix("").parts
		if "tests" not in parts and "\n@frappe.whitelist" in path.read_text():
			import_module(".".join(("trackflow", *parts)))
	found = {
		f"{one.__module__.removeprefix('trackflow.')}.{one.__name__}": one
		for one in frappe.whitelisted
		if one.__module__.startswith("trackflow.") and ".tests." not in one.__module__
	}
	return dict(sorted(found.items()))


def verbs_of(method: Callable) -> list[str]:
	"""The verbs that a whitelisted method takes."""
	return list(frappe.allowed_http_methods_for_whitelisted_func[method])


def document() -> Row:
	"""The document, ready to be written as JSON."""
	return {
		"openapi": VERSION,
		"info": {
			"title": "TrackFlow",
			"version": trackflow.__version__,
			"description": "Marketing attribution for Frappe CRM. docs/api.md walks through it; docs/api-keys.md is about keys and scopes.",
			"license": {"name": "MIT", "identifier": "MIT"},
		},
		"servers": [{"url": "https://{site}", "variables": {"site": {"default": "localhost"}}}],
		"tags": [{"name": noun} for noun in (*scopes.TABLE, "guests", "screens")],
		"paths": {**_redirect(), **dict(_of_methods()), **dict(_of_doctypes())},
		"components": {
			"securitySchemes": {
				"key": {"type": "http", "scheme": "bearer", "description": "An API key of TrackFlow: tfk_…"},
				"keyHeader": {"type": "apiKey", "in": "header", "name": "X-TrackFlow-Key"},
				"user": {
					"type": "apiKey",
					"in": "header",
					"name": "Authorization",
					"description": "Frappe's own keys of a user: token api_key:api_secret",
				},
			},
			"responses": {status: _error(words) for status, words in ERRORS.items()},
			"schemas": {_schema_name(one): _fields_of(one) for one in sorted(scopes.NOUNS)},
		},
	}


def _of_methods() -> Iterator[tuple[str, Row]]:
	for name, method in methods().items():
		yield (
			f"/api/method/trackflow.{name}",
			{verb.lower(): _operation(name, method, verb) for verb in verbs_of(method)},
		)


def _operation(name: str, method: Callable, verb: str) -> Row:
	words = " ".join(inspect.getdoc(method).split())
	scope = _scope_of(name)
	told = {
		"operationId": f"{verb.lower()}.{name}",
		"tags": [
			scope.partition(":")[0] if scope else "guests" if method in frappe.guest_methods else "screens"
		],
		"summary": words.partition(". ")[0].rstrip("."),
		"description": words,
		"security": _security(scope, method in frappe.guest_methods),
		"responses": {"200": _answer(typing.get_type_hints(method)["return"]), **_errors()},
	}
	return told | _arguments(method, verb)


def _scope_of(name: str) -> str:
	"""The scope that a key needs; of exports, which need that of their rows, the first one; "" where keys are refused."""
	path = f"trackflow.{name}"
	by_argument = scopes.BY_ARGUMENT.get(path)
	return next(iter(by_argument[1].values())) if by_argument else scopes.METHODS.get(path, "")


def _security(scope: str, is_of_guests: bool = False) -> list[Row]:
	"""Who may ask: users, keys with the scope where there is one, and everybody where guests may."""
	keys = [{"key": [scope]}, {"keyHeader": [scope]}] if scope else []
	return [*([{}] if is_of_guests else []), *keys, {"user": []}]


def _arguments(method: Callable, verb: str) -> Row:
	hints = typing.get_type_hints(method)
	arguments = inspect.signature(method).parameters.values()
	if verb == "GET":
		parameters = [
			{
				"name": one.name,
				"in": "query",
				"required": one.default is inspect.Parameter.empty,
				"schema": _of_type(hints[one.name], one.default),
			}
			for one in arguments
		]
		return {"parameters": parameters} if parameters else {}
	body = {
		"type": "object",
		"properties": {one.name: _of_type(hints[one.name], one.default) for one in arguments},
		"required": [one.name for one in arguments if one.default is inspect.Parameter.empty],
	}
	return {
		"requestBody": {"content": {"application/json": {"schema": body}}, "required": bool(body["required"])}
	}


def _of_type(hint: Any, default: Any) -> Row:
	schema = msgspec.json.schema(hint)
	return schema if default in (inspect.Parameter.empty, None, "") else {**schema, "default": default}


def _answer(hint: Any) -> Row:
	"""What a method answers: JSON, as Frappe wraps it, or what its words say."""
	if {hint, *typing.get_args(hint)} & {typing.NoReturn, Response}:
		return {"description": "As the description says; not wrapped in `message`"}
	schema = {"type": "object", "properties": {"message": msgspec.json.schema(hint)}}
	return {
		"description": "The answer is under `message`",
		"content": {"application/json": {"schema": schema}},
	}


def _error(words: str) -> Row:
	return {"description": words, "content": {"application/json": {"schema": _OBJECT}}}


def _errors() -> Row:
	return {status: {"$ref": f"#/components/responses/{status}"} for status in ERRORS}


def _redirect() -> Row:
	return {
		"/r/{code}": {
			"get": {
				"operationId": "redirect",
				"tags": ["guests"],
				"summary": "Follow a short link",
				"description": "Records the click and sends the visitor on; docs/links.md says where to, and when a page is shown instead.",
				"security": [{}],
				"parameters": [
					{"name": "code", "in": "path", "required": True, "schema": {"type": "string"}}
				],
				"responses": {
					"302": {"description": "To the destination; also 301, 303, 307, 308"},
					"200": {"description": "A page: a password is asked for"},
					"404": {"description": "No link has this code"},
					"410": {"description": "The link is switched off or over"},
					"429": {"description": "Too many requests from this address"},
					"503": {"description": "The link cannot be read at the moment"},
				},
			}
		}
	}


def _of_doctypes() -> Iterator[tuple[str, Row]]:
	"""Frappe's REST over the DocTypes that keys may open."""
	for doctype, noun in sorted(scopes.NOUNS.items()):
		schema: Row = {"$ref": f"#/components/schemas/{_schema_name(doctype)}"}
		many = {"type": "array", "items": schema}
		at_list = {"get": _rest(f"{noun}:read", f"List {doctype}", many, parameters=_LIST)}
		at_one: Row = {"parameters": [_NAME], "get": _rest(f"{noun}:read", f"Read a {doctype}", schema)}
		if doctype in scopes.EDITED:
			scope = f"{noun}:write"
			body = {"content": {"application/json": {"schema": schema}}, "required": True}
			at_list["post"] = _rest(scope, f"Make a {doctype}", schema, requestBody=body)
			at_one["put"] = _rest(scope, f"Change a {doctype}", schema, requestBody=body)
			at_one["delete"] = _rest(scope, f"Delete a {doctype}", {"type": "string"})
		path = f"/api/resource/{doctype}"
		if not frappe.get_meta(doctype).issingle:
			yield path, at_list
		yield f"{path}/{{name}}", at_one


def _rest(scope: str, summary: str, data: Row, **more: Any) -> Row:
	return {
		"tags": [scope.partition(":")[0]],
		"summary": summary,
		"security": _security(scope),
		"responses": {"200": _json({"type": "object", "properties": {"data": data}}), **_errors()},
		**more,
	}


_NAME: Row = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
_LIST = [
	{"name": name, "in": "query", "schema": {"type": kind}, "description": words}
	for name, kind, words in (
		("fields", "string", 'A list of names as JSON, or ["*"]; the name alone without it'),
		("filters", "string", '{"field": value} or [["field", "operator", value]], as JSON'),
		("or_filters", "string", "The same, of which one must hold"),
		("order_by", "string", "Names of fields, each with asc or desc"),
		("limit_start", "integer", "Where the page begins"),
		("limit_page_length", "integer", "How long it is; 20 without it"),
	)
]


def _json(schema: Row) -> Row:
	return {"description": "The answer is under `data`", "content": {"application/json": {"schema": schema}}}


def _schema_name(doctype: str) -> str:
	return doctype.replace(" ", "")


def _fields_of(doctype: str) -> Row:
	"""The fields of a DocType as TrackFlow brings it; not those that a site added."""
	fields = [
		field
		for field in frappe.get_meta(doctype).fields
		if field.fieldtype not in (*no_value_fields, "Password") and not field.get("is_custom_field")
	]
	properties = {"name": {"type": "string"}} | {field.fieldname: _of_field(field) for field in fields}
	return {"type": "object", "properties": properties}


def _of_field(field: Any) -> Row:
	if field.fieldtype in table_fields:
		return {"type": "array", "items": _OBJECT, "title": field.label}
	schema = dict(_TYPES.get(field.fieldtype, _TEXT))
	if field.fieldtype == "Select" and field.options:
		schema["examples"] = field.options.split("\n")
	elif field.fieldtype == "Link":
		schema["description"] = f"The name of a {field.options}"
	return schema | {"title": field.label}
