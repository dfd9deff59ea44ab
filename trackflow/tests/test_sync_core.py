"""The pure parts of the sync: the breaker's states, whom a form belongs to, what is written, what may leave (SYN-1)."""

import unittest
from datetime import datetime, timedelta

from babel import Locale

from trackflow.sync import circuit, fields, leaving, mapping, matching, schedule
from trackflow.sync.circuit import CLOSED, HALF_OPEN, OPEN, Circuit
from trackflow.sync.fields import NAMES, Facts
from trackflow.sync.leaving import Sender, may_leave
from trackflow.sync.mapping import DAY, NUMBER, Field, Kind, RemoteField
from trackflow.sync.matching import Person
from trackflow.tests.properties import given, settings, st

NOW = 1_800_000_000.0
AT = datetime(2025, 1, 27, 14, 30)
EN = Locale("en")


def after_failures(number: int) -> Circuit:
	found = Circuit()
	for _number in range(number):
		found = circuit.failed(found, NOW)
	return found


class TestCircuit(unittest.TestCase):
	"""SYN-1: opens after 5 failures in a row, half-open after 60 s, closes after 2 successes."""

	def test_opens_after_five_in_a_row(self) -> None:
		self.assertEqual(after_failures(4).state, CLOSED)
		self.assertEqual(after_failures(5), Circuit(OPEN, since=NOW))
		broken = circuit.failed(circuit.succeeded(after_failures(4)), NOW)
		self.assertEqual((broken.state, broken.failures), (CLOSED, 1))

	def test_nobody_asks_for_a_minute_and_one_afterwards(self) -> None:
		found = after_failures(5)
		self.assertEqual(circuit.asked(found, NOW + 59.9), (False, found))
		may, found = circuit.asked(found, NOW + 60)
		self.assertEqual((may, found.state), (True, HALF_OPEN))
		self.assertFalse(circuit.asked(found, NOW + 61)[0], "one at a time, of all workers")
		self.assertTrue(
			circuit.asked(found, NOW + 60 + circuit.PROBE_SECONDS)[0], "a probe that died holds nobody up"
		)
		self.assertTrue(circuit.asked(circuit.undecided(found), NOW + 61)[0])

	def test_two_successes_close_it_and_a_failure_opens_it(self) -> None:
		_may, found = circuit.asked(after_failures(5), NOW + 60)
		once = circuit.succeeded(found)
		self.assertEqual((once.state, once.successes), (HALF_OPEN, 1))
		self.assertEqual(circuit.succeeded(circuit.asked(once, NOW + 61)[1]), Circuit())
		self.assertEqual(circuit.failed(once, NOW + 61), Circuit(OPEN, since=NOW + 61))

	def test_late_answers_say_nothing_of_now(self) -> None:
		found = after_failures(5)
		self.assertEqual(circuit.succeeded(found), found)
		self.assertEqual(circuit.failed(found, NOW + 30), found)

	@given(st.lists(st.tuples(st.booleans(), st.floats(min_value=0, max_value=100)), max_size=60))
	@settings(deadline=None)
	def test_whatever_happens(self, steps: list[tuple[bool, float]]) -> None:
		found, now, opened = Circuit(), NOW, None
		for is_success, seconds in steps:
			now += seconds
			may, found = circuit.asked(found, now)
			if opened is not None and now < opened + circuit.OPEN_SECONDS:
				self.assertFalse(may)
			if not may:
				continue
			found = circuit.succeeded(found) if is_success else circuit.failed(found, now)
			opened = found.since if found.state == OPEN else None
			self.assertLess(found.failures, circuit.FAILURES)
			self.assertLess(found.successes, circuit.SUCCESSES)


class TestMatching(unittest.TestCase):
	"""SYN-1: exactly the address, then exactly the name; never a guess."""

	ADA = Person("1", "Ada  Lovelace", ("Ada@Example.com", "a@example.net"))
	JOAN = Person("2", "Joan Ada", ("joan.ada@example.com",))

	def test_only_what_was_asked_for(self) -> None:
		self.assertEqual(matching.by_email([self.ADA, self.JOAN, self.ADA], "ada@example.com"), [self.ADA])
		self.assertEqual(matching.by_email([self.JOAN], "ada@example.com"), [])
		self.assertEqual(matching.by_name([self.ADA, self.JOAN], "ada", "LOVELACE"), [self.ADA])
		self.assertEqual(matching.by_name([self.JOAN], "Joan", "Adam"), [])

	def test_half_a_name_is_nobodys(self) -> None:
		self.assertEqual(matching.full_name("Ada", " "), "")
		self.assertEqual(matching.person_key("", "Ada", ""), "")
		self.assertEqual(
			matching.person_key("A@b.example", "", ""), matching.person_key("a@B.example", "x", "y")
		)

	def test_none_one_several(self) -> None:
		self.assertIsNone(schedule.found(["7"]))
		self.assertEqual(schedule.found([])[:2], ("not_found", "nobody"))
		self.assertEqual(schedule.found(["7", "8"])[:2], ("error", "several"))


class TestSchedule(unittest.TestCase):
	"""SYN-1: what may pass is tried again, later each time, and not for good."""

	def test_pauses_grow_and_end(self) -> None:
		pauses = [schedule.unreachable(attempt, AT, "away").due_at for attempt in range(1, schedule.ATTEMPTS)]
		self.assertEqual([(one - AT) / timedelta(minutes=1) for one in pauses], [5, 10, 20, 40])
		last = schedule.unreachable(schedule.ATTEMPTS, AT, "away")
		self.assertEqual((last.status, last.reason, last.message), ("error", "unreachable", "away"))

	def test_one_key_for_each_submission(self) -> None:
		self.assertEqual(
			schedule.idempotency_key("Pipedrive", "e1"), schedule.idempotency_key("Pipedrive", "e1")
		)
		self.assertNotEqual(
			schedule.idempotency_key("Pipedrive", "e1"), schedule.idempotency_key("Pipedrive", "e2")
		)


def facts(**values: dict) -> Facts:
	return Facts(
		event={
			"timestamp": AT,
			"utm_source": "news",
			"city": "Paris",
			"country": "FR",
			"ip_address": "203.0.113.7",
			**values.get("event", {}),
		},
		session={
			"name": "s1",
			"source": "google",
			"medium": "cpc",
			"gclid": "g-1",
			"duration_seconds": 4980,
			**values.get("session", {}),
		},
		visitor={
			"visitor_id": "v_1",
			"last_seen": AT,
			"last_campaign": "spring",
			"engagement_score": 3.123456,
			**values.get("visitor", {}),
		},
		domain={"public_key": "pk", "project": "Shop"},
		pages=(
			"https://shop.example.com/a?email=ada@example.com",
			"https://shop.example.com/a#b",
			"https://shop.example.com",
		),
	)


class TestFields(unittest.TestCase):
	"""SYN-1: 40 and more fields, among them computed ones."""

	def test_there_are_enough_and_all_can_be_known(self) -> None:
		self.assertGreaterEqual(len(NAMES), 40)
		self.assertEqual(len(NAMES), len(set(NAMES)))
		everything = dict.fromkeys(
			(
				"event_id",
				"page_url",
				"page_title",
				"referrer",
				"country",
				"region",
				"city",
				"viewport",
				"device_type",
				"browser",
				"screen",
				"os",
				"user_agent",
				"ip_address",
				"timestamp",
				"utm_source",
				"utm_medium",
				"utm_campaign",
				"utm_content",
				"utm_term",
			),
			"x",
		) | {"form": {"form_name": "Contact"}}
		session = dict.fromkeys(("name", "entry_page", "exit_page", "channel", "platform", *NAMES), "x") | {
			"duration_seconds": 1,
			"page_views": 1,
		}
		visitor = dict.fromkeys(
			(
				"visitor_id",
				"source",
				"medium",
				"campaign",
				"channel",
				"last_source",
				"last_medium",
				"last_campaign",
				"last_channel",
				"page_views",
				"conversion_count",
			),
			"x",
		)
		visitor |= dict.fromkeys(("first_seen", "last_seen", "first_touch_at", "last_touch_at"), AT) | {
			"engagement_score": 1
		}
		known = fields.values_of(
			Facts(
				everything, session, visitor, {"public_key": "pk", "project": "Shop"}, ("https://x.example/",)
			)
		)
		self.assertEqual(tuple(known), NAMES)

	def test_the_forms_page_then_its_visit_then_the_last_touch(self) -> None:
		known = fields.values_of(facts())
		self.assertEqual(
			(known["utm_source"], known["utm_medium"], known["utm_campaign"]), ("news", "cpc", "spring")
		)
		self.assertEqual((known["gclid"], known["pixel_id"], known["project_id"]), ("g-1", "pk", "Shop"))
		self.assertNotIn("utm_term", known, "what is not known empties nothing")

	def test_computed_ones(self) -> None:
		known = fields.values_of(facts())
		self.assertEqual(known["last_visited_on"], "January 27, 2025 at 2:30 PM")
		self.assertEqual(known["visited_pages"], "https://shop.example.com/a, https://shop.example.com/")
		self.assertEqual(known["session_duration"], "1h 23m")
		self.assertEqual(known["location"], "Paris, FR")
		self.assertEqual(known["engagement_score"], 3.12)

	def test_words_of_other_languages(self) -> None:
		self.assertIn("27. Januar 2025", str(fields.values_of(facts(), "de")["last_visited_on"]))
		self.assertEqual(fields.values_of(facts(), "no such language"), fields.values_of(facts(), "en"))

	def test_durations(self) -> None:
		for seconds, words in (
			(0, "0 seconds"),
			(45, "45 seconds"),
			(60, "1 minute"),
			(15 * 60, "15 minutes"),
			(3600, "1h 0m"),
		):
			self.assertEqual(fields.how_long(seconds, EN), words)
		self.assertIsNone(fields.how_long(None, EN))

	@given(st.lists(st.text(max_size=60), max_size=20))
	def test_pages_are_never_too_odd(self, addresses: list[str]) -> None:
		self.assertNotIn("?", fields.page_list(addresses))


class TestMapping(unittest.TestCase):
	"""SYN-1: two into one are refused; name and e-mail are never written."""

	def test_what_is_wrong_by_itself(self) -> None:
		rows = [
			Field("gclid", "aa"),
			Field("fbclid", "AA"),
			Field("nonsense", "bb"),
			Field("city", ""),
			Field("country", "Email"),
		]
		found = [(one.source, one.what) for one in mapping.problems(rows, {"email", "name"})]
		self.assertEqual(
			found,
			[
				("gclid", "twice"),
				("fbclid", "twice"),
				("nonsense", "unknown_source"),
				("city", "no_remote"),
				("country", "searched"),
			],
		)
		self.assertEqual(mapping.problems([Field("gclid", "aa"), Field("gclid", "bb")]), [])

	def test_what_is_wrong_as_the_crm_is_now(self) -> None:
		rows = [
			Field("gclid", "gone"),
			Field("city", "name"),
			Field("country", "set"),
			Field("region", "num", "varchar"),
			Field("browser", "ok", "varchar"),
		]
		remote = [
			RemoteField("name", "Name", "varchar", False, True),
			RemoteField("set", "Set", "set", False),
			RemoteField("num", "Number", "double", True),
			RemoteField("ok", "Text", "varchar", True),
		]
		self.assertEqual(
			[one.what for one in mapping.held_to(rows, remote)],
			["gone", "searched", "unsuitable", "other_kind"],
		)

	def test_as_what_it_is_written(self) -> None:
		values = {"page_views": 3, "first_visited_on": AT, "page_title": "x" * 300, "city": "Paris"}
		number, day = Kind(NUMBER), Kind(DAY)
		rows = [
			Field("page_views", "n", kind=number), Field("page_views", "t"), Field("city", "cn", kind=number), Field("first_visited_on", "d", kind=day),
			Field("first_visited_on", "dt"), Field("city", "cd", kind=day), Field("page_title", "p"), Field("region", "r"), Field("city", "ip"),
		]  # fmt: skip
		written = mapping.written(rows, values)
		self.assertEqual(
			written,
			{"n": 3, "t": "3", "d": "2025-01-27", "dt": "2025-01-27 14:30", "p": "x" * 255, "ip": "Paris"},
		)
		self.assertNotIn("ip", mapping.written(rows, values, {"city"}))


class TestLeaving(unittest.TestCase):
	"""SYN-1, COL-7: consent holds, and some domains let nothing out."""

	def test_who_may(self) -> None:
		free = Sender("Standard", asks_consent=False)
		for sender, expected in (
			(free, True),
			(free._replace(consent="Denied"), False),
			(free._replace(others=frozenset({"Granted", "Denied"}), consent="Granted"), False),
			(free._replace(asks_consent=True), False),
			(free._replace(asks_consent=True, consent="Granted"), True),
			(free._replace(level="GDPR"), False),
			(free._replace(level="GDPR", consent="Granted"), True),
			(free._replace(level="HIPAA", consent="Granted"), False),
			(free._replace(consent="Granted", was_on_guarded=True), False),
			(free._replace(is_cookieless=True), False),
			(free._replace(is_robot=True), False),
			(free._replace(is_internal=True), False),
			(free._replace(is_erased=True), False),
		):
			with self.subTest(sender):
				self.assertEqual(may_leave(sender), expected)

	def test_addresses_stay_at_the_level_gdpr(self) -> None:
		self.assertEqual(leaving.withheld("GDPR"), {"ip_address", "user_agent"})
		self.assertEqual(leaving.withheld("Standard"), frozenset())
