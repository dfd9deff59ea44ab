"""Models, domains, settings and templates as documents: what they refuse, and that there is always one default."""

from typing import Any

import frappe
from frappe.model.document import Document

from trackflow.config import get_config
from trackflow.constants.models import DEFAULT_MODEL
from trackflow.tests import factories
from trackflow.tests.base import TrackFlowTestCase

MODEL = "Attribution Model"
DOMAIN = "Domain Configuration"


def make_model(name: str = "Test Model", **values: Any) -> Document:
	return frappe.get_doc({"doctype": MODEL, "model_name": name, "model_type": "Linear", **values}).insert()


def rule(conditions: str, **values: Any) -> dict[str, Any]:
	return {"channel_name": "Partner", "match_conditions": conditions, **values}


class TestAttributionModels(TrackFlowTestCase):
	"""ATT-1: one default, active; parameters that can be worked with."""

	def tearDown(self) -> None:
		frappe.db.rollback()
		self.assertEqual(self.defaults(), [DEFAULT_MODEL])
		super().tearDown()

	def defaults(self) -> list[str]:
		return frappe.get_all(MODEL, {"is_default": 1}, pluck="name", order_by="name")

	def test_the_default_passes_from_one_to_the_next(self) -> None:
		make_model(is_default=1)
		self.assertEqual(self.defaults(), ["Test Model"])
		self.assertEqual(
			frappe.db.get_single_value("TrackFlow Settings", "default_attribution_model"), "Test Model"
		)

	def test_the_settings_may_name_it(self) -> None:
		settings = frappe.get_single("TrackFlow Settings")
		settings.default_attribution_model = "Linear"
		settings.save()
		self.assertEqual(self.defaults(), ["Linear"])

	def test_there_is_always_a_default(self) -> None:
		model = frappe.get_doc(MODEL, DEFAULT_MODEL)
		model.is_default = 0
		with self.assertRaises(frappe.ValidationError):
			model.save()
		with self.assertRaises(frappe.ValidationError):
			frappe.delete_doc(MODEL, DEFAULT_MODEL)

	def test_the_default_is_active(self) -> None:
		model = frappe.get_doc(MODEL, DEFAULT_MODEL)
		model.is_active = 0
		with self.assertRaises(frappe.ValidationError):
			model.save()
		make_model(is_active=0)
		settings = frappe.get_single("TrackFlow Settings")
		settings.default_attribution_model = "Test Model"
		with self.assertRaises(frappe.ValidationError):
			settings.save()

	def test_parameters(self) -> None:
		make_model(
			"Half", model_type="Position Based", position_based_first_weight=50, position_based_last_weight=50
		)
		for values in (
			{"time_decay_half_life_days": 0},
			{"time_decay_half_life_days": -7},
			{"position_based_first_weight": 60, "position_based_last_weight": 41},
			{"position_based_first_weight": -1},
			{"lookback_days": -1},
			{"lookback_days": 4000},
			{"model_type": "Nonsense"},
			{"model_type": "Custom"},
			{"model_type": "Custom", "base_model": "Custom"},
		):
			with self.subTest(values), self.assertRaises(frappe.ValidationError):
				make_model(**values)

	def test_rules_of_a_custom_model(self) -> None:
		custom = {"model_type": "Custom", "base_model": "Linear"}
		model = make_model(**custom, custom_rules='{"channel_weights": {"Email": 2, "Direct": 0}}')
		self.assertEqual(frappe.parse_json(model.custom_rules)["channel_weights"]["Email"], 2)
		self.assertIsNone(make_model("Empty", **custom, custom_rules="").custom_rules)
		for rules in (
			"no json",
			"[]",
			"[1]",
			'{"weights": {}}',
			'{"channel_weights": [1]}',
			'{"channel_weights": {"Email": -1}}',
			'{"channel_weights": {"Email": "2"}}',
			'{"channel_weights": {"Email": true}}',
		):
			with self.subTest(rules), self.assertRaises(frappe.ValidationError):
				make_model("Bad", **custom, custom_rules=rules)

	def test_channel_rules(self) -> None:
		model = make_model(channel_rules=[rule('{"source": "partner*", "channel": "Referral"}', weight=2)])
		self.assertEqual(model.channel_rules[0].priority, 0)
		for bad in (
			rule(""),
			rule("{}"),
			rule("no json"),
			rule('["source"]'),
			rule('{"host": "x"}'),
			rule('{"source": 7}'),
			rule('{"source": ""}'),
			rule('{"source": "x"}', weight=-1),
			rule('{"source": ["a", ""]}'),
			rule('{"position": []}'),
			rule('{"position": "second"}'),
			rule('{"position": 0}'),
			rule('{"age": 7}'),
			rule('{"age": "30..7"}'),
		):
			with self.subTest(bad), self.assertRaises(frappe.ValidationError):
				make_model("Bad", channel_rules=[bad])

	def test_what_is_wrong_with_a_channel_rule(self) -> None:
		"""ATT-1: the message says which rule, and what may be written."""
		rules = [rule('{"position": "first", "age": "<= 7"}'), rule('{"age": "seven"}')]
		with self.assertRaises(frappe.ValidationError) as refused:
			make_model("Bad", channel_rules=rules)
		self.assertIn('Channel rule 2: "seven" is no age in days: write', str(refused.exception))
		rules.pop()
		self.assertFalse(
			make_model(channel_rules=[{**rules[0], "channel_name": ""}]).channel_rules[0].channel_name
		)


class TestDomains(TrackFlowTestCase):
	"""A domain is stored as browsers send it; one is primary; its headers harm nobody."""

	def test_it_is_named_by_its_normal_form(self) -> None:
		self.assertEqual(factories.make_domain(" MÜLLER.Example ").name, "xn--mller-kva.example")
		for domain in ("https://example.com", "example.com/shop", "a b", ""):
			with self.subTest(domain), self.assertRaises(frappe.ValidationError):
				factories.make_domain(domain)

	def test_its_key_is_made_once(self) -> None:
		domain = factories.make_domain()
		self.assertRegex(domain.public_key, r"^pk_[0-9a-f]{24}$")
		domain.public_key = "pk_" + "0" * 24
		with self.assertRaises(frappe.CannotChangeConstantError):
			domain.save()
		with self.assertRaises(frappe.ValidationError):
			factories.make_domain("other.example.com", public_key="secret")

	def primaries(self) -> list[str]:
		return frappe.get_all(DOMAIN, {"is_primary": 1}, pluck="name", order_by="name")

	def test_one_is_primary_or_none(self) -> None:
		factories.make_domain("a.example.com")
		self.assertEqual(self.primaries(), [])
		factories.make_domain("b.example.com", is_primary=1)
		factories.make_domain("c.example.com", is_primary=1)
		self.assertEqual(self.primaries(), ["c.example.com"])
		self.assertEqual(get_config().primary_domain, "c.example.com")
		settings = frappe.get_single("TrackFlow Settings")
		self.assertEqual(settings.default_shortlink_domain, "c.example.com")
		for domain in ("b.example.com", ""):
			settings.default_shortlink_domain = domain
			settings.save()
			self.assertEqual(self.primaries(), [domain] if domain else [])

	def test_the_primary_one_can_step_down_and_go(self) -> None:
		for leave in (lambda doc: doc.update({"is_primary": 0}).save(), lambda doc: doc.delete()):
			doc = factories.make_domain("a.example.com", is_primary=1)
			leave(doc)
			self.assertFalse(frappe.db.get_single_value("TrackFlow Settings", "default_shortlink_domain"))
			self.assertEqual(self.primaries(), [])
			frappe.delete_doc_if_exists(DOMAIN, "a.example.com")
		with self.assertRaises(frappe.ValidationError):
			factories.make_domain("a.example.com", is_primary=1, enabled=0)

	def test_the_settings_give_the_privacy_level(self) -> None:
		self.assertEqual(factories.make_domain("a.example.com", privacy_level="").privacy_level, "GDPR")
		factories.set_settings(gdpr_compliance_enabled=0)
		self.assertEqual(factories.make_domain("b.example.com", privacy_level=None).privacy_level, "Standard")

	def test_the_level_decides_about_addresses(self) -> None:
		"""COL-7"""
		self.assertEqual(factories.make_domain("a.example.com", privacy_level="GDPR").hash_address, 1)
		self.assertEqual(factories.make_domain("b.example.com", privacy_level="HIPAA").collect_address, 0)

	def test_headers(self) -> None:
		factories.make_domain(headers=[{"header_name": "X-Robots-Tag", "header_value": "noindex, nofollow"}])
		for name, value in (
			("Set-Cookie", "a=b"),
			("LOCATION", "https://example.com"),
			("Content-Length", "0"),
			("Transfer-Encoding", "chunked"),
			("X Test", "a"),
			("X-Test:", "a"),
			("X-Test\r\nA", "a"),
			("X-Test", "a\r\nSet-Cookie: a=b"),
			("X-Test", "a\nb"),
			("X-Test", "日本"),
			("X-Test", "a\x00b"),
		):
			with self.subTest(name, value=value), self.assertRaises(frappe.ValidationError):
				factories.make_domain("b.example.com", headers=[{"header_name": name, "header_value": value}])

	def test_other_fields(self) -> None:
		domain = factories.make_domain(
			allowed_origins="https://Shop.example.com/\n\nwww.example.com\nwww.example.com\n",
			tracking_settings='{"batch-size": 20}',
			not_found_url="https://example.com/404",
		)
		self.assertEqual(domain.allowed_origins, "shop.example.com\nwww.example.com")
		for values in (
			{"allowed_origins": "https://example.com/path"},
			{"tracking_settings": "[1]"},
			{"tracking_settings": '{"fields": {"a": NaN}}'},
			{"tracking_settings": '{"fields": {"a": 1e999}}'},
			{"tracking_settings": '{"fields": {"a": "\\ud800"}}'},
			{"tracking_settings": '{"\\ud800": 1}'},
			{"tracking_settings": '{"off": "scroll scroll"}'},
			{"not_found_url": "javascript:alert(1)"},
			{"not_found_url": "https://b.example.com/r/404"},
			{"custom_css": "</style><script>alert(1)</script>"},
		):
			with self.subTest(values), self.assertRaises(frappe.ValidationError):
				factories.make_domain("b.example.com", **values)


class TestSettings(TrackFlowTestCase):
	"""Values out of range are refused with the range, and addresses are stored in one form."""

	def save(self, **values: Any) -> Document:
		settings = frappe.get_single("TrackFlow Settings")
		settings.update(values)
		return settings.save()

	def test_ranges(self) -> None:
		for values in (
			{"short_code_length": 3},
			{"short_code_length": 33},
			{"attribution_window_days": 0},
			{"attribution_window_days": 3651},
			{"session_timeout_minutes": 0},
			{"session_timeout_minutes": 1441},
			{"cookie_expires_days": 0},
			{"engagement_half_life_days": 0},
			{"waste_high_percent": 101},
			{"waste_medium_amount": 501},
			{"limit_events_per_site_minute": -1},
			{"retention_click_event": -1},
		):
			with self.subTest(values), self.assertRaises(frappe.ValidationError):
				self.save(**values)

	def test_addresses(self) -> None:
		ranges = [{"ip_range": " 10.1.2.3/8 "}, {"ip_range": "2001:DB8::/32"}, {"ip_range": "203.0.113.7"}]
		settings = self.save(
			internal_ip_ranges=ranges, trusted_proxies="10.0.0.1\n\n::1 ", blocked_addresses=""
		)
		self.assertEqual(
			[row.ip_range for row in settings.internal_ip_ranges],
			["10.0.0.0/8", "2001:db8::/32", "203.0.113.7"],
		)
		self.assertEqual(settings.trusted_proxies, "10.0.0.1\n::1")
		for values in (
			{"internal_ip_ranges": [{"ip_range": "10.0.0.0/33"}]},
			{"internal_ip_ranges": [{"ip_range": "office"}]},
			{"trusted_proxies": "10.0.0.1, 10.0.0.2"},
			{"blocked_addresses": "300.0.0.1"},
		):
			with self.subTest(values), self.assertRaises(frappe.ValidationError):
				self.save(**values)

	def test_links_of_the_banner(self) -> None:
		settings = self.save(
			privacy_policy_link=" /privacy ", cookie_policy_link="https://example.com/cookies"
		)
		self.assertEqual(settings.privacy_policy_link, "/privacy")
		for address in ("javascript:alert(1)", "//example.com", "/\\example.com", "privacy"):
			with self.subTest(address), self.assertRaises(frappe.ValidationError):
				self.save(privacy_policy_link=address)

	def test_links_to_what_is_not_there(self) -> None:
		for values in (
			{"default_shortlink_domain": "nowhere.example.com"},
			{"default_attribution_model": "None"},
		):
			with self.subTest(values), self.assertRaises(frappe.ValidationError):
				self.save(**values)

	def test_custom_attribution_settings(self) -> None:
		self.save(custom_attribution_settings='{"channel_weights": {"Email": 2}}')
		self.save(custom_attribution_settings="")
		with self.assertRaises(frappe.ValidationError):
			self.save(custom_attribution_settings='{"email": 2}')

	def test_requests_hear_of_changes(self) -> None:
		self.assertEqual(get_config().cookie_days, 365)
		self.save(cookie_expires_days=7)
		self.assertEqual(get_config().cookie_days, 7)


class TestTemplates(TrackFlowTestCase):
	"""LNK-5: the variables of a template are those of its URL."""

	def make(self, url: str, *names: str, **values: Any) -> Document:
		rows = [{"variable_name": name, "variable_type": "Text", **values} for name in names]
		template = {"doctype": "Link Template", "template_name": url, "url_template": url, "variables": rows}
		return frappe.get_doc(template).insert()

	def test_structure(self) -> None:
		self.make("https://example.com/{city}?o={offer}", "city", "offer")
		for url, names in (
			("https://example.com/{city}", ()),
			("https://example.com/", ("city",)),
			("https://example.com/{a}", ("a", "a")),
			("https://example.com/{a b}", ("a b",)),
		):
			with self.subTest(url), self.assertRaises(frappe.ValidationError):
				self.make(url, *names)
		with self.assertRaises(frappe.ValidationError):
			self.make("https://example.com/{x}", "x", validation_rules="[1]")


class TestApiKeys(TrackFlowTestCase):
	"""KEY-1: scopes and addresses are stored in one form."""

	def make(self, **values: Any) -> Document:
		key = {"doctype": "TrackFlow API Key", "key_name": "Test", "user": "Administrator", **values}
		return frappe.get_doc(key).insert()

	def test_scopes_and_addresses(self) -> None:
		key = self.make(
			scopes=[{"permission_type": "links:read", "permission_data": ""}],
			ip_whitelist=[{"ip_address": "10.1.1.1/8"}],
		)
		self.assertIsNone(key.scopes[0].permission_data)
		self.assertEqual(key.ip_whitelist[0].ip_address, "10.0.0.0/8")
		key.delete()
		for values in (
			{"scopes": [{"permission_type": "everything"}]},
			{"scopes": [{"permission_type": "links:read", "permission_data": "[]"}]},
			{"ip_whitelist": [{"ip_address": "office"}]},
		):
			with self.subTest(values), self.assertRaises(frappe.ValidationError):
				self.make(**values)
