"""Whether a platform is told of a conversion, and what; where not, why not (ATT-8). Pure.

Who: a person of whose browsers none refused or withdrew consent, and of which the one that converted (of a lead without one,
any) has a stored consent. Where a domain asks for none, none is stored, and nothing is sent: that recognising somebody needs no
consent does not mean that telling others of them needs none. Never who is erased, a robot, internal, or is known to have been on a
domain of the level HIPAA. Click ids and addresses come of browsers with consent alone.

Which click: of the platform's ids that these browsers came with in the days before the conversion, the newest one that can be an
id; what anybody may write into an address is not passed on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from trackflow.offline import reasons
from trackflow.offline.formats import CLICK_ID, CURRENCY
from trackflow.offline.hashing import email_hash, normalised
from trackflow.offline.shapes import DENIED, GRANTED, Browser, Click, Conversion, Event, Platform, elapsed


def judge(conversion: Conversion, platform: Platform, action: str, now: datetime) -> Event | str:
	"""What the platform is told, or the reason why it is not. `action` is the name there, "" for the conversion's type."""
	return (
		_untimely(conversion, platform, now)
		or _unwilling(conversion)
		or _name_error(conversion, platform, action)
		or _event(conversion, platform, action or conversion.type, now)
	)


def _untimely(conversion: Conversion, platform: Platform, now: datetime) -> str:
	if conversion.at > now:
		return reasons.IN_THE_FUTURE
	if elapsed(conversion.at, now) > platform.oldest:
		return reasons.TOO_OLD
	return reasons.EXPORTED if conversion.is_exported else ""


def _unwilling(conversion: Conversion) -> str:
	"""Why nobody may be told of this person."""
	browsers = conversion.browsers
	own = [one for one in browsers if one.id == conversion.visitor] if conversion.visitor else browsers
	if not own:
		return reasons.NOBODY
	for reason, excluded in (
		(reasons.ERASED, any(one.is_erased for one in browsers)),
		(reasons.GUARDED, any(one.is_guarded for one in browsers)),
		(reasons.ROBOT, all(one.is_robot for one in own)),
		(reasons.INTERNAL, any(one.is_internal for one in browsers)),
		(reasons.REFUSED, any(one.consent == DENIED for one in browsers)),
		(reasons.NO_CONSENT, not any(map(_is_willing, own))),
	):
		if excluded:
			return reason
	return ""


def _is_willing(browser: Browser) -> bool:
	return browser.consent == GRANTED and not browser.is_robot


def _name_error(conversion: Conversion, platform: Platform, action: str) -> str:
	if platform.wants_action and not action:
		# It is asked for before anything is made; the rest can be looked at without.
		return ""
	return reasons.BAD_NAME if platform.action_error(action or conversion.type) else ""


def _event(conversion: Conversion, platform: Platform, called: str, now: datetime) -> Event | str:
	willing = [one for one in conversion.browsers if _is_willing(one)]
	clicks = _clicks(conversion, platform, {one.id for one in willing})
	click = next((one for one in clicks if CLICK_ID.fullmatch(one.value)), None)
	told = _told(conversion, willing, click) if platform.takes_email else None
	currency = (conversion.currency or "").strip().upper()
	event = Event(
		id=conversion.name,
		called=called,
		at=conversion.at,
		value=conversion.value or None,
		currency=currency if conversion.value else "",
		click=click,
		email_hash=email_hash(told.email) if told else "",
		visitor=click.visitor if click else told.id if told else "",
		is_website=conversion.is_website,
		page=conversion.page,
		agent=conversion.agent,
	)
	if conversion.value < 0:
		return reasons.BAD_VALUE
	if conversion.value and not CURRENCY.fullmatch(currency):
		return reasons.NO_CURRENCY
	reason = platform.refused(event, now)
	if clicks and not click and reason in (reasons.NO_CLICK, reasons.NO_IDENTIFIER):
		return reasons.MALFORMED_CLICK
	return reason or event


def _clicks(conversion: Conversion, platform: Platform, willing: set[str]) -> list[Click]:
	"""The platform's clicks within the window, the newest first, and of one visit the kind that comes first."""
	inside = [
		one
		for one in conversion.clicks
		if one.visitor in willing
		and one.kind in platform.kinds
		and not one.is_internal
		and timedelta() <= elapsed(one.at, conversion.at) <= platform.window
	]
	by_kind = sorted(inside, key=lambda one: (platform.kinds.index(one.kind), one.value))
	return sorted(by_kind, key=lambda one: one.at, reverse=True)


def _told(conversion: Conversion, willing: Sequence[Browser], click: Click | None) -> Browser | None:
	"""The browser whose address is sent: that of the click, that which converted, else the one seen last."""
	named = [one for one in willing if normalised(one.email)]
	preferred = (click.visitor if click else "", conversion.visitor)
	for wanted in filter(None, preferred):
		if found := next((one for one in named if one.id == wanted), None):
			return found
	if click:
		# An export's row names one browser beside the conversion's own, so that erasing either finds it.
		return None
	return max(
		named, key=lambda one: (one.last_seen.timestamp() if one.last_seen else 0, one.id), default=None
	)
