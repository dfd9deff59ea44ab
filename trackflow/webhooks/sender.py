"""Delivers what is due (WHK-1): each minute, and after whatever was written down.

A run serves all webhooks side by side: each has one delivery under way at a time, in the order in which things happened, and a thread
of its own for it, so that a slow or dead target holds up nobody else's. This thread alone has the database. Who delivers to a webhook
holds its lease, a mark with a time that is renewed while the run lives: so no two runs deliver to it at once, and of a run that was
killed the next one takes over a minute later. What was sent and not noted then is sent again, under the same id.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.utils import cint, escape_html, now_datetime
from pypika import Table
from pypika.terms import Criterion, ExistsCriterion

from trackflow import bulk, keys
from trackflow.access.stored_keys import DOCTYPE, WEBHOOK, stored_keys, webhooks_of
from trackflow.collisions import retried
from trackflow.notices import Notice, tell_managers
from trackflow.runs import recorded
from trackflow.webhooks import retrying, signing, target
from trackflow.webhooks.outbox import DELIVERED, DELIVERY, FAILED, PENDING, queue
from trackflow.webhooks.retrying import Standing
from trackflow.webhooks.target import Attempt, Outcome

Row = Mapping[str, Any]

# In site_config.json or common_site_config.json: addresses of one's own network, and http.
ALLOWED = "trackflow_webhook_private_hosts"
# Targets that are served at one time; others wait for one of these.
MOST_AT_ONCE = 32
# A run begins nothing new after so long; what waits then gets another one.
MAX_SECONDS = 200
LEASE = timedelta(seconds=60)
RENEW_SECONDS = 15
# What a paused webhook was not told for so long surprises whoever gets it. Shorter than deliveries are kept, so that it can be seen, and
# sent again.
LONGEST_WAIT = timedelta(days=30)
# Of a target that fails so often in a row the rest is left to the next run.
MOST_FAILURES = 3
_HOOK_FIELDS = ("parent", "webhook_url", "consecutive_failures", "is_paused", "held_until", "lease")
_DELIVERY_FIELDS = ("event_type", "payload", "attempts", "status")


@recorded
def send_due() -> int:
	"""Deliver what is due; returns how many deliveries were tried."""
	return Run().work()


class Flight(NamedTuple):
	"""A delivery under way."""

	webhook: str
	delivery: str


class Run:
	"""One run, with what it has under way."""

	def __init__(self, clock: Callable[[], datetime] = now_datetime) -> None:
		self.clock = clock
		self.token = frappe.generate_hash(length=16)
		self.under_way: dict[Future[Outcome], Flight] = {}
		self.failures: Counter[str] = Counter()
		self.tried = 0

	def work(self) -> int:
		_give_up_old(self.clock())
		webhooks = _usable()
		until, renewed = time.monotonic() + MAX_SECONDS, time.monotonic()
		with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="webhook") as pool:
			while True:
				if time.monotonic() < until:
					self._begin(webhooks, pool)
				if not self.under_way:
					break
				ended, _others = wait(self.under_way, timeout=RENEW_SECONDS, return_when=FIRST_COMPLETED)
				for future in ended:
					self._end(self.under_way.pop(future), future.result())
				if time.monotonic() - renewed > RENEW_SECONDS:
					self._renew()
					renewed = time.monotonic()
		if time.monotonic() >= until:
			queue()
			frappe.db.commit()
		return self.tried

	def _begin(self, webhooks: Collection[str], pool: ThreadPoolExecutor) -> None:
		"""Begin a delivery to each of these webhooks that has one due and none under way."""
		if len(self.under_way) == MOST_AT_ONCE:
			return
		busy = {flight.webhook for flight in self.under_way.values()}
		for webhook in _ready(self.clock()):
			if webhook not in webhooks or webhook in busy or self.failures[webhook] >= MOST_FAILURES:
				continue
			if found := self._take(webhook):
				delivery, attempt = found
				self.under_way[pool.submit(target.post, attempt)] = Flight(webhook, delivery)
			if len(self.under_way) == MOST_AT_ONCE:
				return

	@retried
	def _take(self, webhook: str) -> tuple[str, Attempt] | None:
		"""The next delivery that is due, with the webhook's lease; None where nothing is, or somebody else delivers."""
		frappe.db.commit()
		now = self.clock()
		hook = self._leased(webhook, now)
		if not hook:
			return None
		# Asked only with the lease, as whoever had it before may have delivered what was due.
		name = _next(webhook, now)
		if not name:
			self._release(webhook)
			return None
		row = frappe.db.get_value(DELIVERY, name, _DELIVERY_FIELDS, as_dict=True)
		return name, _attempt(hook, name, row)

	def _leased(self, webhook: str, now: datetime) -> Row | None:
		"""Take the lease in one statement, unless somebody has it, or the webhook is paused or wants to be left alone."""
		table = frappe.qb.DocType(WEBHOOK)
		(
			frappe.qb.update(table)
			.set(table.lease, self.token)
			.set(table.leased_until, now + LEASE)
			.where((table.name == webhook) & _is_free(table, now))
			.run()
		)
		hook = frappe.db.get_value(WEBHOOK, webhook, _HOOK_FIELDS, as_dict=True)
		frappe.db.commit()
		return hook if hook and hook.lease == self.token else None

	def _release(self, webhook: str) -> None:
		table = frappe.qb.DocType(WEBHOOK)
		query = frappe.qb.update(table).set(table.lease, None).set(table.leased_until, None)
		query.where((table.name == webhook) & (table.lease == self.token)).run()
		frappe.db.commit()

	@retried
	def _renew(self) -> None:
		frappe.db.commit()
		table = frappe.qb.DocType(WEBHOOK)
		query = frappe.qb.update(table).set(table.leased_until, self.clock() + LEASE)
		query.where(table.lease == self.token).run()
		frappe.db.commit()

	def _end(self, flight: Flight, outcome: Outcome) -> None:
		self.tried += 1
		self.failures[flight.webhook] = 0 if outcome.is_delivered else self.failures[flight.webhook] + 1
		told = self._note(flight, outcome)
		if told:
			_tell(*told)

	@retried
	def _note(self, flight: Flight, outcome: Outcome) -> tuple[Row, Standing] | None:
		"""Write down what came of it, and let go of the webhook, in one transaction; answers the webhook and how it fares now where
		managers are to be told."""
		frappe.db.commit()
		hook = bulk.lock(WEBHOOK, [flight.webhook], _HOOK_FIELDS).get(flight.webhook)
		row = bulk.lock(DELIVERY, [flight.delivery], _DELIVERY_FIELDS).get(flight.delivery)
		# Without the lease somebody else has taken over, and says what came of it; what arrived has arrived.
		is_ours = bool(hook and hook.lease == self.token)
		if row and (is_ours or outcome.is_delivered):
			went_to = {"webhook_url": hook["webhook_url"]} if hook else {}
			bulk.update(
				DELIVERY, {flight.delivery: {**self._outcome(row, outcome), **went_to}}, is_locked=True
			)
		told = self._stand(hook, row, outcome) if is_ours else None
		frappe.db.commit()
		return told

	def _outcome(self, row: Row, outcome: Outcome) -> dict[str, Any]:
		now, attempts = self.clock(), row["attempts"] + 1
		values = {"attempts": attempts, **_shown(outcome)}
		if outcome.is_delivered:
			return {**values, "status": DELIVERED, "delivered_at": now, "next_attempt_at": None}
		pause = retrying.pause_after(attempts, random.random(), self._asked_for(outcome))  # noqa: S311 a pause
		if pause is None:
			return {**values, "status": FAILED, "delivered_at": None, "next_attempt_at": None}
		return {**values, "status": PENDING, "delivered_at": None, "next_attempt_at": now + pause}

	def _stand(self, hook: Row, row: Row | None, outcome: Outcome) -> tuple[Row, Standing] | None:
		before = Standing(cint(hook["consecutive_failures"]), bool(hook["is_paused"]))
		now = before.delivered() if outcome.is_delivered else before.failed(row["attempts"] if row else 1)
		pause = None if outcome.is_delivered else self._asked_for(outcome)
		values = {
			"consecutive_failures": now.failures,
			"is_paused": int(now.is_paused),
			"held_until": self.clock() + min(pause, retrying.LONGEST) if pause else None,
			"lease": None,
			"leased_until": None,
		}
		bulk.update(WEBHOOK, {hook["name"]: values}, is_locked=True)
		return (hook, now) if now.is_worth_a_notice(before) else None

	def _asked_for(self, outcome: Outcome) -> timedelta | None:
		return retrying.asked_for(outcome.retry_after, datetime.now(UTC))


def _ready(now: datetime) -> list[str]:
	"""The webhooks that have a delivery due and may be leased; one statement, however many have none."""
	hook, delivery = frappe.qb.DocType(WEBHOOK), frappe.qb.DocType(DELIVERY)
	due = (
		frappe.qb.from_(delivery)
		.select(delivery.name)
		.where((delivery.webhook == hook.name) & (delivery.status == PENDING))
		.where(delivery.next_attempt_at <= now)
	)
	frappe.db.commit()
	query = frappe.qb.from_(hook).select(hook.name).where(_is_free(hook, now) & ExistsCriterion(due))
	return query.orderby(hook.name).run(pluck=True)


def _is_free(hook: Table, now: datetime) -> Criterion:
	"""Nobody delivers to it, it is not paused, and does not want to be left alone."""
	is_leased = hook.leased_until.isnull() | (hook.leased_until < now)
	return (hook.is_paused == 0) & is_leased & (hook.held_until.isnull() | (hook.held_until <= now))


def _give_up_old(now: datetime) -> None:
	"""Give up what has waited too long for webhooks that are paused and forgotten."""
	hook, table = frappe.qb.DocType(WEBHOOK), frappe.qb.DocType(DELIVERY)
	is_old = (table.status == PENDING) & (table.next_attempt_at < now - LONGEST_WAIT)
	frappe.db.commit()
	query = frappe.qb.from_(table).join(hook).on(hook.name == table.webhook).select(table.webhook).distinct()
	for webhook in query.where(is_old & (hook.is_paused == 1)).orderby(table.webhook).run(pluck=True):
		_give_up_of(webhook, is_old)


@retried
def _give_up_of(webhook: str, is_old: Criterion) -> None:
	"""Unless it was resumed just now."""
	frappe.db.commit()
	hook = bulk.lock(WEBHOOK, [webhook], ("is_paused",)).get(webhook)
	if hook and hook.is_paused:
		why = _("It waited for {0} days; the webhook was paused.").format(LONGEST_WAIT.days)
		_give_up((frappe.qb.DocType(DELIVERY).webhook == webhook) & is_old, why)
	frappe.db.commit()


def _usable() -> set[str]:
	"""The webhooks that may be delivered to. What waits for others is given up: they were switched off or removed, or their key was."""
	table = frappe.qb.DocType(DELIVERY)
	frappe.db.commit()
	waiting = (
		frappe.qb.from_(table).select(table.webhook).where(table.status == PENDING).groupby(table.webhook)
	).run(pluck=True)
	if not waiting:
		return set()
	# Read after what waits: a webhook that was made meanwhile has what waits for it.
	frappe.db.commit()
	now = time.time()
	usable = {
		one.name
		for some in webhooks_of(stored_keys()).values()
		for one in some
		if not one.expires_at or one.expires_at > now
	}
	why = _("The webhook or its API key is switched off, expired or gone.")
	for webhook in sorted(set(waiting) - usable):
		_give_up((table.webhook == webhook) & (table.status == PENDING), why)
		frappe.db.commit()
	return usable


def _give_up(which: Criterion, why: str) -> None:
	table = frappe.qb.DocType(DELIVERY)
	(
		frappe.qb.update(table)
		.set(table.status, FAILED)
		.set(table.next_attempt_at, None)
		.set(table.error_message, why)
		.where(which)
		.run()
	)


def _next(webhook: str, now: datetime) -> str | None:
	"""The delivery that is to go next, if it is due."""
	found = frappe.get_all(
		DELIVERY,
		filters={"webhook": webhook, "status": PENDING, "next_attempt_at": ("<=", now)},
		pluck="name",
		order_by="next_attempt_at, name",
		limit=1,
	)
	return found[0] if found else None


def _attempt(hook: Row, name: str, row: Row) -> Attempt:
	"""A delivery as it is sent now, signed with the secret that holds now."""
	body = row["payload"].encode()
	secret = keys.webhook_secret(frappe.db.get_value(DOCTYPE, hook["parent"], "webhook_secret_id") or "")
	headers = signing.headers(row["event_type"], name, int(time.time()), body, secret)
	return Attempt(hook["webhook_url"], headers, body, allows_private())


def allows_private() -> bool:
	return bool(cint(frappe.conf.get(ALLOWED)))


def _shown(outcome: Outcome) -> dict[str, Any]:
	"""What people see of it."""
	return {
		"response_code": outcome.status,
		"response_excerpt": outcome.excerpt or None,
		"error_message": None if outcome.is_delivered else in_words(outcome),
	}


def in_words(outcome: Outcome) -> str:
	"""Why it did not arrive."""
	words = {
		target.PRIVATE: _(
			"{0} is an address of a private network, where nothing is sent. Where that is meant, set {1} in site_config.json."
		).format(outcome.detail, ALLOWED),
		target.UNKNOWN: _("The host {0} is not found.").format(outcome.detail),
		target.TIMEOUT: _("There was no answer within {0} seconds.").format(target.TIMEOUT_SECONDS),
		target.CERTIFICATE: _("The certificate of the target is not valid."),
		target.UNREACHABLE: _("The target cannot be reached ({0}).").format(outcome.detail),
		target.REDIRECT: _(
			"The target answered with a redirect ({0}), which is not followed: name the final address."
		).format(outcome.status),
	}
	return words.get(outcome.error) or _("The target answered with {0}.").format(outcome.status)


def _tell(hook: Row, standing: Standing) -> None:
	"""Tell managers that deliveries fail, or that no more are tried. Of the address only the host: there may be a secret in it."""
	host = urlsplit(hook["webhook_url"]).hostname or ""
	about = escape_html(f"{hook['parent']} → {host}")
	if standing.is_paused:
		subject = _("TrackFlow: a webhook is paused: {0}").format(about)
		text = _(
			"{0} deliveries in a row failed. Events wait until somebody resumes the webhook, for up to {1} days; until then none of them is lost."
		).format(standing.failures, LONGEST_WAIT.days)
	else:
		subject = _("TrackFlow: deliveries of a webhook fail: {0}").format(about)
		text = _(
			"{0} deliveries in a row failed. They are tried again; after {1} in a row the webhook is paused."
		).format(standing.failures, retrying.PAUSE_AT)
	tell_managers(
		[Notice(subject, text, "webhook", f"{hook['parent']} {standing.failures}")], now_datetime().date()
	)
	frappe.db.commit()
