"""Models side by side, and the paths of conversions (ATT-7): the arithmetic, the site's figures, who may ask, what is asked wrongly."""

import json
import re
import unittest
from collections import Counter
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe
from click.testing import CliRunner
from frappe.desk import query_report

from trackflow import commands
from trackflow.attribution import comparing, path_figures, paths, run
from trackflow.attribution.comparison import Credited, compare
from trackflow.attribution.path_figures import Converted, figures, spread, steps
from trackflow.tests.base import TrackFlowTestCase, counted_statements
from trackflow.tests.factories import (
	VISITOR,
	changed_model,
	make_campaign,
	make_conversion,
	make_journey,
	make_link,
	make_touch,
	make_visitor,
	set_settings,
)
from trackflow.tests.properties import given, st
from trackflow.tests.test_credits import everything
from trackflow.tests.test_permissions import CAMPAIGNER, MANAGER, NOBODY, PermissionTestCase

REPORT = "Attribution Model Comparison"
END = datetime(2026, 3, 10, 12)
DAY = timedelta(days=1)
MARCH = date(2026, 3, 1), date(2026, 3, 31)
SECONDS = 86_400
NOTHING = {"conversions": 0, "value": {}, "share": 0}

MODELS = ("Last Touch", "Linear")
ROWS = st.lists(
	st.builds(
		Credited,
		st.sampled_from(MODELS),
		st.just(False),
		st.none() | st.sampled_from(["", "Email", "Direct"]),
		st.sampled_from(["", "EUR", "USD"]),
		st.integers(0, 10**12).map(lambda number: number / 10**9),
		st.integers(-(10**7), 10**7).map(lambda number: number / 100),
	)
	| st.builds(Credited, st.sampled_from(MODELS), st.just(True), st.none(), st.just("EUR"), st.just(1.0)
	, st.just(0.1)),
	max_size=30,
)  # fmt: skip
CHANNELS = st.lists(st.sampled_from(["Email", "Direct", "Paid Search"]), max_size=8)


class TestSums(unittest.TestCase):
	"""ATT-7: parts add up to the totals, to the last of nine places."""

	@given(ROWS)
	def test_parts_are_the_whole(self, rows: list[Credited]) -> None:
		found = compare(rows, MODELS)
		lines = [*found.groups.values(), found.unattributed, *([found.others] if found.others else [])]
		for model in MODELS:
			own = [row for row in rows if row.model == model]
			conversions = sum((round(Decimal(row.conversions), 9) for row in own), Decimal(0))
			self.assertEqual(found.totals[model].conversions, conversions)
			self.assertEqual(sum(line[model].conversions for line in lines), conversions)
			for currency in found.currencies:
				amounts = [line[model].value.get(currency, Decimal(0)) for line in lines]
				value = sum(
					(round(Decimal(row.value), 9) for row in own if row.currency == currency), Decimal(0)
				)
				self.assertEqual(sum(amounts), value)
				self.assertEqual(found.totals[model].value.get(currency, 0), value)

	@given(ROWS)
	def test_groups_by_size(self, rows: list[Credited]) -> None:
		found = compare(rows, MODELS)
		sizes = [line["Last Touch"].conversions for line in found.groups.values()]
		self.assertEqual(sizes, sorted(sizes, reverse=True))
		self.assertEqual(
			found.others is None, not any(row.group is None and not row.is_unattributed for row in rows)
		)

	def test_no_share_of_nothing(self) -> None:
		found = compare([], MODELS)
		self.assertIsNone(found.share("Linear", found.unattributed))


class TestPathArithmetic(unittest.TestCase):
	"""ATT-7: paths, lengths, times and assists."""

	@given(CHANNELS)
	def test_steps_are_the_path(self, channels: list[str]) -> None:
		found = steps(channels)
		self.assertEqual([channel for channel, touches in found for _each in range(touches)], channels)
		self.assertTrue(all(one[0] != other[0] for one, other in pairwise(found)))

	@given(st.lists(st.tuples(CHANNELS, st.booleans(), st.integers(0, 999)), max_size=20), st.integers(1, 5))
	def test_everything_is_counted_once(self, some: list[tuple[list[str], bool, int]], limit: int) -> None:
		found = figures(
			Converted(channels, END, END, END, is_counted, Decimal(cents) / 100, "EUR")
			for channels, is_counted, cents in some
		)
		common, different, rest = found.most_common(limit)
		parts = [found.without_touch, rest, *(brought for _steps, brought in common)]
		self.assertEqual(
			sum(part.conversions for part in parts), sum(is_counted for _c, is_counted, _v in some)
		)
		total = Decimal(sum(cents for _channels, _counted, cents in some)) / 100
		self.assertEqual(sum(part.value.get("EUR", Decimal(0)) for part in parts), total)
		self.assertEqual(
			len({tuple(channels) for channels, *_more in some if channels}), len(common) + different
		)
		with_touch = [channels for channels, is_counted, _value in some if channels and is_counted]
		self.assertEqual(sum(one.first for one in found.by_channel.values()), len(with_touch))
		self.assertEqual(sum(one.last for one in found.by_channel.values()), len(with_touch))
		for name, one in found.channels():
			self.assertEqual(one.conversions, sum(name in channels for channels in with_touch))
			self.assertEqual(
				one.assists, sum(name in channels and channels[-1] != name for channels in with_touch)
			)

	def test_steps_are_kept_once(self) -> None:
		"""50,000 paths of 100 steps stay small."""
		found = figures(Converted(channels.split(), END, END, END) for channels in ("A B", "A B C"))
		one, other = found.by_path
		self.assertIs(one[0], other[0])

	def test_of_nothing(self) -> None:
		self.assertEqual(spread([]), (None, None))
		self.assertEqual(spread([1, 2, 9]), (2, 4))

	def test_the_last_touches_of_long_paths(self) -> None:
		channels = ["Direct", *["Email"] * path_figures.MOST_TOUCHES]
		found = figures([Converted(channels, END, END, END)])
		self.assertEqual(list(found.by_path), [(("Email", path_figures.MOST_TOUCHES),)])
		self.assertEqual((found.lengths[0], found.by_channel["Direct"].assists), (101, 1))


class ComparisonTestCase(TrackFlowTestCase):
	"""A site where purchases are what counts and what has a value."""

	def setUp(self) -> None:
		super().setUp()
		self.number = 0
		set_settings(counted_conversion_types="Purchase", valued_conversion_types="Purchase")

	def person(self, *channels: str, at: datetime = END, **values: Any) -> str:
		"""Somebody with touches of these channels, one a day, the last one at the conversion's moment."""
		visitor = self.visitor()
		make_journey(visitor, *channels, end=at)
		return make_conversion(visitor, at, **values)

	def visitor(self) -> str:
		self.number += 1
		return make_visitor(VISITOR.format(self.number))

	def story(self) -> None:
		"""Two conversions: one of three touches, one of e-mail alone."""
		self.person("Email", "Paid Search", "Direct", value=100)
		self.person("Email", value=50.01)
		run.credit_pending()

	def compared(self, group_by: str = "channel", conversion_type: str = "") -> dict[str, Any]:
		return comparing.comparison_answer(*MARCH, group_by, conversion_type)

	def by_group(self, group_by: str, model: str = "Linear") -> dict[str, float]:
		"""What a model credits to each group, in conversions."""
		found = self.compared(group_by)
		return {line["group"]: line["figures"][model]["conversions"] for line in found["groups"]}


class TestByHand(ComparisonTestCase):
	"""ATT-7: two conversions under three models, worked out with a pencil."""

	def setUp(self) -> None:
		super().setUp()
		self.story()
		self.found = self.compared()

	def figures(self, model: str) -> dict[str, tuple[float, float, float]]:
		return {
			line["group"]: (one["conversions"], one["value"].get("USD", 0), one["share"])
			for line in self.found["groups"]
			for one in [line["figures"][model]]
		}

	def test_first_touch(self) -> None:
		self.assertEqual(
			self.figures("First Touch"),
			{"Email": (2, 150.01, 100), "Direct": (0, 0, 0), "Paid Search": (0, 0, 0)},
		)

	def test_last_touch(self) -> None:
		self.assertEqual(
			self.figures("Last Touch"),
			{"Email": (1, 50.01, 50), "Direct": (1, 100, 50), "Paid Search": (0, 0, 0)},
		)

	def test_linear(self) -> None:
		"""Thirds of 100.00 are 33.34, 33.33 and 33.33; those of 1 have nine places."""
		self.assertEqual(
			self.figures("Linear"),
			{
				"Email": (1.333333334, 83.35, 66.67),
				"Paid Search": (0.333333333, 33.33, 16.67),
				"Direct": (0.333333333, 33.33, 16.67),
			},
		)

	def test_totals(self) -> None:
		for model in self.found["models"]:
			name = model["name"]
			self.assertEqual(
				self.found["totals"][name], {"conversions": 2, "value": {"USD": 150.01}, "share": 100}, name
			)
			self.assertEqual(self.found["unattributed"][name], NOTHING, name)
		self.assertIsNone(self.found["others"])

	def test_the_default_model_comes_first(self) -> None:
		self.assertEqual(
			self.found["models"][0], {"name": "Last Touch", "model_type": "Last Touch", "is_default": 1}
		)
		self.assertEqual([line["group"] for line in self.found["groups"]], ["Email", "Direct", "Paid Search"])

	def test_models_that_are_switched_off(self) -> None:
		with changed_model("Linear", is_active=0):
			self.assertNotIn("Linear", self.compared()["totals"])


class TestWhatIsCompared(ComparisonTestCase):
	"""ATT-7: which conversions, and how touches are put into groups."""

	def test_unattributed_is_told_apart(self) -> None:
		"""Also from touches that have no campaign, and from whoever calls a source or channel so."""
		make_touch(self.visitor(), END, "Unattributed", source="Unattributed")
		make_conversion(VISITOR.format(1), END)
		self.person(currency="EUR", value=30)
		run.credit_pending()
		for group_by, group in (("campaign", ""), ("source", "Unattributed"), ("channel", "Unattributed")):
			found = self.compared(group_by)
			for model in found["models"]:
				name = model["name"]
				self.assertEqual(
					found["unattributed"][name], {"conversions": 1, "value": {"EUR": 30}, "share": 50}, name
				)
				self.assertEqual(self.by_group(group_by, name), {group: 1})
				self.assertEqual(found["totals"][name]["value"], {"EUR": 30, "USD": 100})

	def test_every_group(self) -> None:
		campaign, visitor = make_campaign("Spring"), self.visitor()
		link = make_link("flyer", campaign=campaign.name)
		ours = {"source": "news", "medium": "mail", "platform": "Paper"}
		make_touch(visitor, END - DAY, link_campaign=campaign.name, tracked_link=link.name, **ours)
		make_touch(visitor, END, "Paid Search", source="google", medium="cpc", platform="", campaign="summer")
		make_conversion(visitor, END)
		run.credit_pending()
		for group_by, groups in (
			("channel", ("Email", "Paid Search")),
			("campaign", ("Spring", "summer")),
			("link", (link.name, "")),
			("source", ("news", "google")),
			("medium", ("mail", "cpc")),
			("platform", ("Paper", "")),
		):
			with self.subTest(group_by=group_by):
				self.assertEqual(self.by_group(group_by), dict.fromkeys(groups, 0.5))
				self.assertEqual(self.compared(group_by)["totals"]["Linear"]["conversions"], 1)
		labels = {line["group"]: line["label"] for line in self.compared("link")["groups"]}
		self.assertEqual(labels, {link.name: "flyer", "": ""})

	def test_a_touch_that_is_gone(self) -> None:
		"""What its credit knows stays; what only the touch knew is nothing."""
		self.story()
		frappe.db.delete("Touch Point")
		self.assertEqual(self.by_group("source"), {"": 2})
		self.assertEqual(self.by_group("channel")["Email"], 1.333333334)

	def test_both_days_belong_to_the_range(self) -> None:
		microsecond = timedelta(microseconds=1)
		begin, end = datetime(2026, 3, 1), datetime(2026, 4, 1)
		for at in (begin - microsecond, begin, end - microsecond, end):
			self.person("Email", at=at)
		run.credit_pending()
		self.assertEqual(self.compared()["totals"]["Linear"]["conversions"], 2)
		self.assertEqual(comparing.paths_answer(*MARCH, 5)["totals"]["conversions"], 2)

	def test_types_that_count_and_types_with_a_value(self) -> None:
		"""A lead and its deal are one conversion, with the deal's value; a type by itself has both."""
		set_settings(counted_conversion_types="Lead", valued_conversion_types="Deal Won")
		self.person("Email", conversion_type="Lead", value=1)
		self.person("Paid Search", conversion_type="Deal Won", value=900)
		self.person("Direct", conversion_type="Purchase", value=7)
		run.credit_pending()
		for kind, conversions, value in (
			("", {"Email": 1, "Paid Search": 0}, {"Paid Search": {"USD": 900}, "Email": {}}),
			("Purchase", {"Direct": 1}, {"Direct": {"USD": 7}}),
			("Download", {}, {}),
		):
			lines = self.compared(conversion_type=kind)["groups"]
			linear = {line["group"]: line["figures"]["Linear"] for line in lines}
			self.assertEqual({group: one["conversions"] for group, one in linear.items()}, conversions)
			self.assertEqual({group: one["value"] for group, one in linear.items()}, value)
			found = comparing.paths_answer(*MARCH, 5, kind)
			self.assertEqual({one["path"]: one["conversions"] for one in found["paths"]}, conversions)
			self.assertEqual({one["path"]: one["value"] for one in found["paths"]}, value)

	def test_nothing_that_counts(self) -> None:
		set_settings(counted_conversion_types="", valued_conversion_types="")
		self.story()
		self.assertEqual((self.compared()["groups"], comparing.paths_answer(*MARCH, 5)["paths"]), ([], []))

	def test_the_smaller_groups_are_others(self) -> None:
		for number in range(7):
			for _each in range(number):
				self.person(f"Channel {number}", value=0.1)
		run.credit_pending()
		with patch.object(comparing, "MOST_GROUPS", 2):
			found = self.compared()
		self.assertEqual([line["group"] for line in found["groups"]], ["Channel 6", "Channel 5"])
		for model in found["models"]:
			others, total = found["others"][model["name"]], found["totals"][model["name"]]
			self.assertEqual((others["conversions"], others["value"]), (10, {"USD": 1}))
			self.assertEqual((total["conversions"], total["value"]), (21, {"USD": 2.1}))

	def test_the_largest_by_value(self) -> None:
		set_settings(counted_conversion_types="Lead", valued_conversion_types="Deal Won")
		for _each in range(2):
			self.person("Email", conversion_type="Lead")
		self.person("Direct", conversion_type="Lead")
		self.person("Referral", conversion_type="Deal Won", value=900)
		run.credit_pending()
		for figure, most, others in (("conversions", "Email", (1, 900)), ("value", "Referral", (3, 0))):
			with patch.object(comparing, "MOST_GROUPS", 1):
				found = comparing.comparison_answer(*MARCH, "channel", figure=figure)
			self.assertEqual([line["group"] for line in found["groups"]], [most])
			rest = found["others"]["Linear"]
			self.assertEqual((rest["conversions"], rest["value"].get("USD", 0)), others)
		everything = comparing.comparison_answer(*MARCH, "channel", figure="value")["groups"]
		self.assertEqual([line["group"] for line in everything], ["Referral", "Email", "Direct"])

	def test_one_spelling_for_what_a_database_takes_for_one(self) -> None:
		for source in ("News", "news", "NEWS"):
			visitor = self.visitor()
			make_touch(visitor, END, source=source)
			make_conversion(visitor, END)
		run.credit_pending()
		found = self.by_group("source")
		self.assertEqual(sum(found.values()), 3)
		self.assertEqual(len(found), 1 if frappe.db.db_type == "mariadb" else 3)


class TestPaths(ComparisonTestCase):
	"""ATT-7: the paths of conversions, worked out with a pencil."""

	def setUp(self) -> None:
		super().setUp()
		for _each in range(2):
			self.person("Paid Search", "Email", "Email", "Direct", value=10.01)
		self.person("Email", value=5)
		self.person("Email", value=5, currency="EUR")
		self.person("Email", "Paid Search", value=0)
		self.person()
		self.found = comparing.paths_answer(*MARCH, 2)

	def test_the_most_common(self) -> None:
		self.assertEqual(
			[(one["path"], one["conversions"], one["value"]) for one in self.found["paths"]],
			[
				("Email", 2, {"EUR": 5, "USD": 5}),
				("Paid Search → Email ×2 → Direct", 2, {"USD": 20.02}),
			],
		)
		self.assertEqual(self.found["paths"][1]["steps"][1], {"channel": "Email", "touches": 2})
		self.assertEqual(self.found["others"], {"paths": 1, "conversions": 1, "value": {}})
		self.assertEqual(self.found["without_touch"], {"conversions": 1, "value": {"USD": 100}})
		self.assertEqual(self.found["totals"], {"conversions": 6, "value": {"EUR": 5, "USD": 125.02}})

	def test_lengths_and_times(self) -> None:
		"""Four touches twice, one twice, two once; a day between touches, and the conversion with the last one."""
		self.assertEqual(self.found["touches"], {"median": 2, "mean": 2.4})
		days = {"median": 1 * SECONDS, "mean": 7 * SECONDS / 5}
		self.assertEqual(self.found["seconds_to_conversion"], days)
		self.assertEqual(self.found["seconds_to_last_touch"], days)

	def test_assists(self) -> None:
		columns = ("channel", "conversions", "first", "last", "assists", "assists_by_last")
		self.assertEqual(
			[tuple(one[column] for column in columns) for one in self.found["channels"]],
			[("Email", 5, 3, 2, 3, 1.5), ("Paid Search", 3, 2, 1, 2, 2), ("Direct", 2, 0, 2, 0, 0)],
		)

	def test_a_model_has_its_window_and_its_names(self) -> None:
		rule = {"channel_name": "News", "match_conditions": '{"source": "email"}', "priority": 1, "weight": 1}
		doc = frappe.get_doc("Attribution Model", "Linear")
		doc.append("channel_rules", rule)
		doc.save()
		with changed_model("Linear", lookback_days=1):
			found = comparing.paths_answer(*MARCH, 5, model_name="Linear")
		doc.reload()
		doc.set("channel_rules", [])
		doc.save()
		self.assertEqual(
			{one["path"]: one["conversions"] for one in found["paths"]},
			{"News → Direct": 2, "News": 2, "News → Paid Search": 1},
		)
		self.assertEqual(found["model"], "Linear")

	def test_time_after_the_last_touch(self) -> None:
		visitor = self.visitor()
		make_journey(visitor, "Referral", "Referral", end=END)
		make_conversion(visitor, END + 3 * DAY, "Call")
		found = comparing.paths_answer(*MARCH, 5, "Call")
		self.assertEqual(found["seconds_to_conversion"], {"median": 4 * SECONDS, "mean": 4 * SECONDS})
		self.assertEqual(found["seconds_to_last_touch"], {"median": SECONDS, "mean": SECONDS})

	def test_chunks_change_nothing(self) -> None:
		with patch.object(paths, "AT_ONCE", 2):
			self.assertEqual(comparing.paths_answer(*MARCH, 2), self.found)

	def test_too_many(self) -> None:
		with patch.object(comparing, "MOST_CONVERSIONS", 6):
			self.assertEqual(comparing.paths_answer(*MARCH, 2), self.found)
		with patch.object(comparing, "MOST_CONVERSIONS", 5), self.assertRaises(frappe.ValidationError):
			comparing.paths_answer(*MARCH, 2)


class TestReport(ComparisonTestCase):
	"""ATT-7, RPT-1: Attribution Model Comparison, as the desk gets it."""

	def report(self, **filters: Any) -> dict[str, Any]:
		return query_report.run(
			REPORT, filters={"from_date": "2026-03-01", "to_date": "2026-03-31", **filters}
		)

	def lines(self, found: dict[str, Any], *models: str) -> list[tuple[Any, ...]]:
		"""Group, currency and what these models credit."""
		fields = {column["label"]: column["fieldname"] for column in found["columns"]}
		return [
			(row["group"], row.get("currency"), *(row[fields[model]] for model in models))
			for row in found["result"]
		]

	def test_conversions(self) -> None:
		self.story()
		found = self.report()
		self.assertEqual(
			self.lines(found, "First Touch", "Last Touch", "Linear"),
			[
				("Email", None, 2, 1, 1.333333334),
				("Direct", None, 0, 1, 0.333333333),
				("Paid Search", None, 0, 0, 0.333333333),
				("Unattributed", None, 0, 0, 0),
				("Total", None, 2, 2, 2),
			],
		)
		chart = found["chart"]["data"]
		self.assertEqual(chart["labels"], ["Email", "Direct", "Paid Search", "Unattributed"])
		self.assertEqual(chart["datasets"][0], {"name": "Last Touch", "values": [1, 1, 0, 0]})

	def test_value_by_currency(self) -> None:
		self.story()
		self.person("Email", value=5, currency="EUR")
		run.credit_pending()
		found = self.report(figure="Value")
		self.assertEqual(
			self.lines(found, "First Touch", "Linear"),
			[
				("Direct", "USD", 0, 33.33),
				("Email", "EUR", 5, 5),
				("Email", "USD", 150.01, 83.35),
				("Paid Search", "USD", 0, 33.33),
				("Total", "EUR", 5, 5),
				("Total", "USD", 150.01, 150.01),
			],
		)
		self.assertIsNone(found["chart"])

	def test_links_by_their_codes(self) -> None:
		link, visitor = make_link("flyer"), self.visitor()
		make_touch(visitor, END, tracked_link=link.name)
		make_touch(visitor, END, "Direct")
		make_conversion(visitor, END)
		run.credit_pending()
		groups = [line[0] for line in self.lines(self.report(group_by="Link"))]
		self.assertEqual(sorted(groups[:2]), ["None", "flyer"])

	def test_a_type_alone(self) -> None:
		self.story()
		self.assertEqual(self.lines(self.report(conversion_type="Call"), "Linear")[-1], ("Total", None, 0))

	def test_wrong_filters_are_answered(self) -> None:
		for filters in ({"group_by": "Visitor"}, {"figure": "<b>"}, {"to_date": "2026-01-01"}):
			found = self.report(**filters)
			self.assertEqual((found["result"], found["columns"]), ([], []))
			self.assertNotIn("<", found["message"])

	def test_filters_of_the_desk_are_those_that_are_read(self) -> None:
		scrubbed = frappe.scrub(REPORT)
		script = Path(
			frappe.get_app_path("trackflow", "trackflow", "report", scrubbed, f"{scrubbed}.js")
		).read_text()
		self.assertIn(f'frappe.query_reports["{REPORT}"]', script)
		names = {"from_date", "to_date", "group_by", "figure", "conversion_type"}
		self.assertEqual(set(re.findall(r'fieldname: "(\w+)"', script)), names)
		values = set(re.findall(r'value: "(\w+)"', script))
		groups = {group.title() for group in comparing.GROUPS}
		self.assertEqual(values, groups | {"Conversions", "Value"})


class TestCommand(ComparisonTestCase):
	"""CLI-1, ATT-7: the comparison by command."""

	def invoke(self, *options: str) -> str:
		frappe.db.commit()
		context = frappe._dict(sites=[frappe.local.site], profile=False)
		arguments = ["attribution", "--compare", *options, "--from", "2026-03-01", "--to", "2026-03-31"]
		with patch.object(commands.shell, "connected", lambda _context: nullcontext()):
			answer = CliRunner().invoke(commands.trackflow, arguments, obj=context)
		self.assertEqual(answer.exit_code, 0, answer.output)
		return answer.output

	def test_it_shows_and_changes_nothing(self) -> None:
		self.story()
		before = everything()
		self.assertEqual(
			json.loads(self.invoke("channel", "--json")), json.loads(frappe.as_json(self.compared()))
		)
		lines = [line.split() for line in self.invoke("channel").splitlines()]
		self.assertEqual(lines[0][:3], ["Channel", "Last", "Touch"])
		self.assertEqual((lines[2][:2], lines[-1][:2]), (["Email", "1.00"], ["Total", "2.00"]))
		self.assertEqual(everything(), before)


class TestCost(ComparisonTestCase):
	"""ATT-7: statements do not grow with conversions."""

	def test_statements(self) -> None:
		counts: Counter[str] = Counter()
		for size in ("few", "many"):
			for _each in range(2 if size == "few" else 20):
				self.person("Email", "Paid Search", f"Channel {self.number}")
			run.credit_pending()
			self.compared("source"), comparing.paths_answer(*MARCH, 5)
			with counted_statements() as statements:
				self.compared("source")
				comparing.paths_answer(*MARCH, 5)
			counts[size] = len(statements)
		self.assertEqual(counts["few"], counts["many"])
		with counted_statements() as statements:
			comparing.compared(*MARCH, "platform", ["Linear", "Last Touch"])
		self.assertEqual(len(statements), 1)


class TestAsking(PermissionTestCase, ComparisonTestCase):
	"""ROL-P, ATT-7: for who may read credits; what is asked wrongly is answered in words."""

	def ask(self, user: str | None, method: str, verb: str = "GET", **query: Any) -> Any:
		path = f"/api/method/trackflow.api.attribution.{method}"
		query = {"from_date": "2026-03-01", "to_date": "2026-03-31", **query}
		return self.request(verb, path, headers=self.authorization(user), query_string=query)

	def test_who_may(self) -> None:
		self.story()
		for method in ("compare_models", "get_paths"):
			for user in (None, NOBODY):
				answer = self.ask(user, method)
				self.assertEqual(answer.status_code, 403, (method, user))
				self.assertNotIn("Email", answer.text)
			for user in (MANAGER, CAMPAIGNER):
				answer = self.ask(user, method)
				self.assertEqual(answer.status_code, 200, answer.text)
				message = answer.json["message"]
				self.assertIn("Email", json.dumps(message))
				self.assertNotIn("v_0000", json.dumps(message))
			self.assertEqual(self.ask(CAMPAIGNER, method, "POST").status_code, 403, method)

	def test_who_may_see_the_report(self) -> None:
		path = "/api/method/frappe.desk.query_report.run"
		for user, status in ((CAMPAIGNER, 200), (NOBODY, 403), (None, 403)):
			headers = self.authorization(user)
			answer = self.request("GET", path, headers=headers, query_string={"report_name": REPORT})
			self.assertEqual(answer.status_code, status, user)

	def test_what_is_asked_wrongly(self) -> None:
		self.story()
		both, first, second = ("compare_models", "get_paths"), ("compare_models",), ("get_paths",)
		for methods, query in (
			(first, {"group_by": "visitor_id"}),
			(first, {"group_by": ""}),
			(first, {"group_by": "Channel"}),
			(first, {"figure": "cost"}),
			(both, {"to_date": "2026-02-28"}),
			(both, {"from_date": "1999-01-01"}),
			(both, {"from_date": "yesterday"}),
			(second, {"limit": "0"}),
			(second, {"limit": "101"}),
			(second, {"limit": "many"}),
			(second, {"model": "Astrology"}),
		):
			for method in methods:
				answer = self.ask(CAMPAIGNER, method, **query)
				self.assertEqual(
					(answer.status_code, answer.json["exc_type"]), (417, "ValidationError"), query
				)

	def test_odd_texts_are_values(self) -> None:
		for text in ("'; --", "%", "é\u202e", "x" * 500):
			answer = self.ask(CAMPAIGNER, "compare_models", conversion_type=text)
			self.assertEqual((answer.status_code, answer.json["message"]["groups"]), (200, []), text)

	def test_thirty_days_by_default(self) -> None:
		path = "/api/method/trackflow.api.attribution.compare_models"
		answer = self.get(path, headers=self.authorization(CAMPAIGNER)).json["message"]
		days = date.fromisoformat(answer["to_date"]) - date.fromisoformat(answer["from_date"])
		self.assertEqual((days.days, answer["group_by"]), (29, "channel"))
