"""What recipients of mails ask for: the image of an opened mail, and to unsubscribe (EML-1, ROL-P).

Answered from the earliest hook, so that addresses stay short and an image costs neither a statement nor a cookie. Guests learn nothing:
an image is an image whatever its token, and a page names nobody. Only a POST unsubscribes, since scanners follow links.
"""

import time

import frappe
from frappe import _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from trackflow.access import limits
from trackflow.config import get_config
from trackflow.email import leaving, page, tokens, traces
from trackflow.email.preparing import PREFIX
from trackflow.incoming import Incoming, asks_not_to_be_tracked, client_address
from trackflow.keys import click_secret, limit_secret
from trackflow.policy import Config
from trackflow.stream import writer
from trackflow.stream.buckets import Bucket
from trackflow.tracking import identity, image
from trackflow.tracking.people import GUARDED_LEVEL

# Of one mail in a minute.
MOST_OPENS = 30
IMAGE, LEAVE = f"{PREFIX}/o/", f"{PREFIX}/u/"


def answer_recipient() -> None:
	"""before_request hook: answer a mail's image or the page to unsubscribe, or let the request pass."""
	path = frappe.request.path
	if path.startswith(IMAGE):
		raise HTTPException(response=_image(path[len(IMAGE) :]))
	if path.startswith(LEAVE):
		raise HTTPException(response=_leave(path[len(LEAVE) :]))


def _image(token: str) -> Response:
	if frappe.request.method == "GET":
		try:
			_record(token, Incoming.of(frappe.request), get_config())
		except Exception:
			# Whoever opened the mail sees an image, whatever is broken here.
			frappe.logger("trackflow").exception("An opened mail could not be recorded")
	return Response(image.GIF, mimetype="image/gif", headers=image.HEADERS)


def _record(token: str, incoming: Incoming, config: Config) -> None:
	secret = click_secret()
	mail = tokens.read(tokens.OPENED, token, secret)
	mailing = "" if mail else tokens.read(tokens.OPENED_BY_ANYBODY, token, secret)
	domain = config.domain_of(incoming.host)
	is_unwanted = (domain is not None and domain.privacy_level == GUARDED_LEVEL) or (
		config.honour_do_not_track and asks_not_to_be_tracked(incoming.headers)
	)
	address = client_address(incoming, config)
	if not config.enabled or is_unwanted or limits.is_blocked(address, config) or not (mail or mailing):
		return
	now = time.time()
	record = {
		"kind": traces.OPEN,
		"id": identity.new_click_id(now, identity.random_digits()),
		"at": now,
		"mail": mail,
		"mailing": mailing,
		"who": traces.opener(incoming.headers.get("user-agent", "")),
	}
	writer.write([record], limits=_limits(mail, address, config))


def _limits(mail: str, address: str, config: Config) -> list[Bucket]:
	"""How often it is recorded: providers fetch images of thousands of mails from one address, so a mail has a limit of its own."""
	if mail:
		return [Bucket(f"mail:{mail}", MOST_OPENS, limits.MINUTE)]
	return limits.of_address("images", address, config, limit_secret())


def _leave(token: str) -> Response:
	words = _words()
	name = tokens.read(tokens.LEAVE, token, click_secret())
	if not name:
		return Response(page.told(words, words.unknown), status=404, headers=page.HEADERS)
	if frappe.request.method == "POST":
		is_known = leaving.leave(name)
		text = words.done if is_known else words.unknown
		return Response(page.told(words, text), status=200 if is_known else 404, headers=page.HEADERS)
	form = page.asking(words, frappe.request.path, frappe.session.data.csrf_token or "")
	return Response(form, headers=page.FORM_HEADERS)


def _words() -> page.Words:
	return page.Words(
		frappe.local.lang or "en",
		(_("Unsubscribe"), _("Do you want no more of these mails?")),
		(
			_("You are unsubscribed"),
			_("You will get no more of these mails. One that is under way may still arrive."),
		),
		(_("This link does not work"), _("Please answer one of the mails to be taken off the list.")),
		_("Unsubscribe"),
	)
