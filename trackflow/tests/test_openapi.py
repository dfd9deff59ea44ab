"""DOC-1, SEC-1, SEC-4: docs/openapi.json is what the code says, and the site is what it says."""

import json
from pathlib import Path
from typing import Any, ClassVar
from unittest import skipUnless

import frappe

from trackflow import openapi
from trackflow.access import scopes
from trackflow.constants.roles import CAMPAIGN_MANAGER, TRACKFLOW_MANAGER
from trackflow.tests.base import HAS_CRM, TrackFlowTestCase
from trackflow.tests.users import PeopleTestCase

try:
	import schemathesis
	from hypothesis import HealthCheck, Phase, given, settings
	from openapi_spec_validator import validate
except ImportError:
	schemathesis = None

MANAGER = "openapi.manager@example.com"
# Frappe's own REST answers 500 to filters that are no JSON. What settings say reaches beyond rows: other tests would find another site.
NOT_TRIED = ("/api/resource/", "/api/method/trackflow.api.settings.save_settings")
EXAMPLES = 2
KINDS = (dict, list, str, int, float, bool, type(None))


def docs(name: str) -> Path:
	return Path(frappe.get_app_path("trackflow")).parent / "docs" / name


class TestTheDocument(TrackFlowTestCase):
	def test_it_is_the_file_in_the_docs(self) -> None:
		"""`bench trackflow openapi > docs/openapi.json` makes it anew."""
		self.assertEqual(
			json.loads(docs("openapi.json").read_text()), json.loads(json.dumps(openapi.document()))
		)

	@skipUnless(schemathesis, "openapi-spec-validator is not installed")
	def test_it_is_openapi(self) -> None:
		validate(openapi.document())

	def test_every_method_is_there_with_its_scope(self) -> None:
		paths = openapi.document()["paths"]
		for name, method in openapi.methods().items():
			told = paths[f"/api/method/trackflow.{name}"]
			self.assertEqual({verb.upper() for verb in told}, set(openapi.verbs_of(method)))
			for operation in told.values():
				keys = [one["key"] for one in operation["security"] if "key" in one]
				scope = scopes.METHODS.get(f"trackflow.{name}")
				self.assertEqual(keys, [[scope]] if scope else keys)
				self.assertTrue(operation["description"])

	def test_every_doctype_that_keys_may_open(self) -> None:
		found = {
			path.split("/")[3] for path in openapi.document()["paths"] if path.startswith("/api/resource/")
		}
		self.assertEqual(found, set(scopes.NOUNS))


@skipUnless(schemathesis, "schemathesis is not installed")
class TestTheSiteIsWhatItSays(PeopleTestCase):
	"""Whatever the document allows is asked: never a 500, never a status or a shape that it does not tell."""

	roles: ClassVar[dict[str, tuple[str, ...]]] = {MANAGER: (TRACKFLOW_MANAGER, CAMPAIGN_MANAGER)}

	def test_whatever_may_be_asked(self) -> None:
		schema = schemathesis.openapi.from_dict(openapi.document())
		tried = 0
		for found in schema.get_all_operations():
			operation = found.ok()
			if operation.path.startswith(NOT_TRIED) or (not HAS_CRM and ".crm" in operation.path):
				continue
			with self.subTest(f"{operation.method} {operation.path}"):
				self.ask(operation)
			tried += 1
		self.assertGreater(tried, 80)

	def ask(self, operation: Any) -> None:
		told = operation.definition.raw["responses"]

		@given(case=operation.as_strategy())
		@settings(
			max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
			suppress_health_check=list(HealthCheck),
		)  # fmt: skip
		def run(case: Any) -> None:
			options: dict[str, Any] = {"query_string": case.query or {}}
			if isinstance(case.body, KINDS):
				options["json"] = case.body
			answer = self.request(
				operation.method.upper(), case.formatted_path, headers=self.authorization(MANAGER), **options
			)
			self.assertLess(answer.status_code, 500, answer.get_data()[:2000])
			if answer.status_code == 200 and "content" in told["200"]:
				wanted = told["200"]["content"]["application/json"]["schema"]["properties"]
				self.assertLessEqual(answer.json.keys() - {"_server_messages", "docs"}, wanted.keys())
			elif answer.status_code != 200:
				self.assertIn(str(answer.status_code), told)

		run()
