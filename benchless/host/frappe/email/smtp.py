"""A session with the mail server of the configuration: `mail_server`, `mail_port`, `use_tls`, `use_ssl`, `mail_login`,
`mail_password`, as a bench has them in site_config.json."""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager

import frappe
from frappe import _
from frappe.utils import cint

TIMEOUT_SECONDS = 10


@contextmanager
def session() -> Iterator[smtplib.SMTP]:
	"""Raises OutgoingEmailError where no server is named."""
	conf = frappe.conf
	if not conf.mail_server:
		raise frappe.OutgoingEmailError(
			_("Please setup default outgoing Email Account: name mail_server in the site's configuration.")
		)
	kind = smtplib.SMTP_SSL if cint(conf.use_ssl) else smtplib.SMTP
	with kind(conf.mail_server, cint(conf.mail_port), timeout=TIMEOUT_SECONDS) as server:
		if cint(conf.use_tls):
			server.starttls()
		if conf.mail_login:
			server.login(conf.mail_login, conf.mail_password or "")
		yield server
