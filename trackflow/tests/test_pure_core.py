"""The pure core stays pure: no Frappe, no clock, no network, no files (RED-2, ATT-2, the first rule of the house)."""

from __future__ import annotations

import ast
import subprocess
import sys
import unittest
from importlib.util import find_spec
from pathlib import Path

PURE_MODULES = (
	"trackflow.access.api_keys",
	"trackflow.access.redacted",
	"trackflow.access.scopes",
	"trackflow.analytics.change",
	"trackflow.analytics.export_text",
	"trackflow.analytics.money",
	"trackflow.analytics.utm",
	"trackflow.attribution.channel_rules",
	"trackflow.attribution.comparison",
	"trackflow.attribution.credits",
	"trackflow.attribution.data_driven",
	"trackflow.attribution.explanation",
	"trackflow.attribution.models",
	"trackflow.attribution.path_figures",
	"trackflow.attribution.powers",
	"trackflow.attribution.shapes",
	"trackflow.attribution.spending",
	"trackflow.attribution.standing",
	"trackflow.attribution.versions",
	"trackflow.attribution.window",
	"trackflow.click_rollups.sketch",
	"trackflow.costs.days",
	"trackflow.costs.facts",
	"trackflow.costs.formats",
	"trackflow.costs.headers",
	"trackflow.costs.matching",
	"trackflow.costs.numbers",
	"trackflow.costs.platforms",
	"trackflow.costs.rate_sheet",
	"trackflow.costs.sheet",
	"trackflow.costs.wrong",
	"trackflow.recent",
	"trackflow.costs.exchange",
	"trackflow.edge.rates",
	"trackflow.email.content",
	"trackflow.email.mailings",
	"trackflow.email.message",
	"trackflow.email.page",
	"trackflow.email.returns",
	"trackflow.email.tokens",
	"trackflow.email.traces",
	"trackflow.health.figures",
	"trackflow.health.finding",
	"trackflow.health.prometheus",
	"trackflow.health.schedule",
	"trackflow.incoming",
	"trackflow.integrations.lead_ads",
	"trackflow.inert",
	"trackflow.links.app_addresses",
	"trackflow.links.codes",
	"trackflow.links.csv_formats",
	"trackflow.links.csv_text",
	"trackflow.links.destination",
	"trackflow.links.templating",
	"trackflow.naming",
	"trackflow.offline.decide",
	"trackflow.offline.formats",
	"trackflow.offline.google",
	"trackflow.offline.hashing",
	"trackflow.offline.linkedin",
	"trackflow.offline.meta",
	"trackflow.offline.platforms",
	"trackflow.offline.reasons",
	"trackflow.offline.shapes",
	"trackflow.places",
	"trackflow.policy",
	"trackflow.privacy.archive.layout",
	"trackflow.privacy.due",
	"trackflow.privacy.personal",
	"trackflow.redirect.answer",
	"trackflow.redirect.decision",
	"trackflow.redirect.page",
	"trackflow.redirect.passwords",
	"trackflow.redirect.rules",
	"trackflow.remembering",
	"trackflow.reports.funnel",
	"trackflow.reports.groups",
	"trackflow.reports.spend",
	"trackflow.reports.stages",
	"trackflow.reports.steps",
	"trackflow.reports.velocity",
	"trackflow.rollups.grains",
	"trackflow.stream.entries",
	"trackflow.sync.circuit",
	"trackflow.sync.fields",
	"trackflow.sync.leaving",
	"trackflow.sync.mapping",
	"trackflow.sync.matching",
	"trackflow.sync.schedule",
	"trackflow.times",
	"trackflow.tracking.agents",
	"trackflow.tracking.bursts",
	"trackflow.tracking.channels",
	"trackflow.tracking.dialects",
	"trackflow.tracking.events",
	"trackflow.tracking.identity",
	"trackflow.tracking.image",
	"trackflow.tracking.packing",
	"trackflow.tracking.parameters",
	"trackflow.tracking.rows",
	"trackflow.tracking.script_options",
	"trackflow.tracking.segment",
	"trackflow.tracking.sessions",
	"trackflow.tracking.sources",
	"trackflow.waste.judge",
	"trackflow.waste.quiet",
	"trackflow.webhooks.messages",
	"trackflow.webhooks.retrying",
	"trackflow.webhooks.signing",
	"trackflow.weekly_summary.layout",
)

FORBIDDEN_IMPORTS = frozenset(
	{
		"frappe", "time", "os", "io", "socket", "subprocess", "threading", "asyncio", "logging", "pathlib", "shutil",
		"tempfile", "urllib.request", "http", "redis", "requests", "random", "locale", "sqlite3",
	}
)  # fmt: skip
# Ways to ask for the present moment, or for the world outside.
FORBIDDEN_CALLS = frozenset(
	{"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter", "open", "input"}
)

IMPORT_WITHOUT_FRAPPE = """
import sys

class Blocked:
	def find_spec(self, name, path=None, target=None):
		if name == "frappe" or name.startswith("frappe."):
			raise ImportError(f"the pure core must not import {name}")
		return None

sys.meta_path.insert(0, Blocked())
for module in sys.argv[1:]:
	__import__(module)
assert not any(name == "frappe" or name.startswith("frappe.") for name in sys.modules)
"""


def source_of(module: str) -> Path:
	spec = find_spec(module)
	assert spec is not None and spec.origin is not None, module
	return Path(spec.origin)


def imports_of(tree: ast.AST) -> set[str]:
	"""Return every module that is imported anywhere in a source, by its full name."""
	names: set[str] = set()
	for node in ast.walk(tree):
		if isinstance(node, ast.Import):
			names.update(alias.name for alias in node.names)
		elif isinstance(node, ast.ImportFrom):
			names.add(node.module or "")
			names.update(f"{node.module}.{alias.name}" for alias in node.names)
	return names


def calls_of(tree: ast.AST) -> set[str]:
	"""Return the last name of everything that is called in a source."""
	names: set[str] = set()
	for node in ast.walk(tree):
		if isinstance(node, ast.Call):
			function = node.func
			names.add(function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", ""))
	return names


class TestPureCore(unittest.TestCase):
	"""What decides is plain Python over plain values."""

	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.trees = {
			module: ast.parse(source_of(module).read_text(encoding="utf-8")) for module in PURE_MODULES
		}

	def test_imports_without_frappe(self):
		root = Path(source_of("trackflow")).parent.parent
		result = subprocess.run(
			[sys.executable, "-c", IMPORT_WITHOUT_FRAPPE, *PURE_MODULES],
			cwd=root,
			capture_output=True,
			text=True,
			timeout=60,
		)
		self.assertEqual(result.returncode, 0, result.stderr)

	def test_imports_nothing_that_reaches_outside(self):
		for module, tree in self.trees.items():
			imported = {".".join(name.split(".")[:depth]) for name in imports_of(tree) for depth in (1, 2)}
			self.assertEqual(imported & FORBIDDEN_IMPORTS, set(), module)

	def test_imports_only_pure_modules_of_the_app(self):
		for module, tree in self.trees.items():
			for name in imports_of(tree):
				if name.startswith("trackflow."):
					self.assertTrue(
						any(name == pure or name.startswith(f"{pure}.") for pure in PURE_MODULES)
						or any(pure.startswith(f"{name}.") for pure in PURE_MODULES),
						f"{module} imports {name}",
					)

	def test_reads_no_clock_and_opens_nothing(self):
		for module, tree in self.trees.items():
			self.assertEqual(calls_of(tree) & FORBIDDEN_CALLS, set(), module)

	def test_keeps_no_state_between_calls(self):
		"""Module level names are constants; a `global` or `nonlocal` statement would be a state."""
		for module, tree in self.trees.items():
			statements = [node for node in ast.walk(tree) if isinstance(node, ast.Global | ast.Nonlocal)]
			self.assertEqual(statements, [], module)
