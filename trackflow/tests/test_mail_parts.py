"""What mails are made of and what comes back of them, without a host (EML-1)."""

import unittest
from datetime import UTC, datetime, timedelta
from email import message_from_string, policy
from email.parser import Parser
from html.parser import HTMLParser

from trackflow.email import content, message, returns, tokens, traces
from trackflow.email.mailings import status_of
from trackflow.email.message import Mail, MessageError, composed
from trackflow.tests.base import CHROME, GOOGLEBOT
from trackflow.tests.properties import given, st

SECRET, OTHER = b"s" * 32, b"t" * 32
ROW = tokens.row_name(SECRET, "mailing", "Ada@Example.com")
AT = datetime(2026, 11, 30, 9, tzinfo=UTC)
MAIL = Mail(
	"Example Works",
	"news@example.com",
	"ada@example.com",
	"Grüße",
	"<p>Größe</p>",
	"Größe",
	"id@example.com",
	leave_url="https://crm.example.com/tf/u/" + "a" * 28,
)
NONE = dict.fromkeys(("sent_date", "opened_date", "clicked_date", "bounced_date", "unsubscribed_date"))


class TestTokens(unittest.TestCase):
	"""SEC-3: a token is good for one purpose, and nobody can make one."""

	def test_a_row_has_one_name(self) -> None:
		self.assertEqual(ROW, tokens.row_name(SECRET, "mailing", "ada@example.com"))
		others = [
			tokens.row_name(OTHER, "mailing", "ada@example.com"),
			tokens.row_name(SECRET, "mailing2", "ada@example.com"),
			tokens.row_name(SECRET, "mailing", "2ada@example.com"),
			tokens.row_name(SECRET, "mailin", "gada@example.com"),
		]
		self.assertEqual(len({ROW, *others}), 5)

	def test_each_purpose_has_its_own(self) -> None:
		purposes = (
			tokens.OPENED,
			tokens.OPENED_BY_ANYBODY,
			tokens.LEAVE,
			tokens.MESSAGE,
			tokens.clicked("a"),
			tokens.clicked("b"),
		)
		for made in purposes:
			for asked in purposes:
				found = tokens.read(asked, tokens.sign(made, ROW, SECRET), SECRET)
				self.assertEqual(found, ROW if made == asked else "")

	def test_mail_programs_may_shout(self) -> None:
		self.assertEqual(
			tokens.read(tokens.LEAVE, tokens.sign(tokens.LEAVE, ROW, SECRET).upper(), SECRET), ROW
		)

	@given(st.text(max_size=80))
	def test_nothing_else_is_one(self, text: str) -> None:
		self.assertEqual(tokens.read(tokens.LEAVE, text, SECRET), "")

	@given(
		st.integers(0, tokens.NAME_LENGTH + tokens.SIGNATURE_LENGTH - 1), st.sampled_from("abcdefgh234567")
	)
	def test_one_letter_more_or_less(self, at: int, letter: str) -> None:
		token = tokens.sign(tokens.LEAVE, ROW, SECRET)
		changed = token[:at] + letter + token[at + 1 :]
		self.assertEqual(tokens.read(tokens.LEAVE, changed, SECRET), ROW if changed == token else "")
		self.assertEqual(tokens.read(tokens.LEAVE, token, OTHER), "")

	def test_in_an_address(self) -> None:
		self.assertEqual(tokens.with_token("https://e.com/r/a", "x"), "https://e.com/r/a?tfm=x")
		self.assertEqual(tokens.in_query("qr=1&tfm=x&b"), "x")
		self.assertEqual((tokens.in_query("xtfm=x"), tokens.in_query("")), ("", ""))


class Tags(HTMLParser):
	"""Tags with their attributes."""

	def __init__(self, html: str) -> None:
		super().__init__()
		self.found: list[tuple[str, dict[str, str | None]]] = []
		self.feed(html)
		self.close()

	def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
		self.found.append((tag, dict(attrs)))


class TestContent(unittest.TestCase):
	"""EML-1: links of the template are replaced, all else stays byte for byte."""

	def test_addresses(self) -> None:
		html = """<a href="https://e.com/?a=1&amp;b=2">1</a><A title="x > y" HREF = 'https://e.com/2'>2</A>
		<a href="mailto:a@e.com">3</a><a href="#top">4</a><a data-href="https://no.example" href="https://e.com/2">5</a>
		<a href="https://e.com/{{ name }}">6</a><a href="{{ unsubscribe_url }}">7</a><area href="HTTP://e.com/8"><p href="https://no.example">"""
		found = content.addresses_in(html)
		self.assertEqual(found.tracked, ("https://e.com/?a=1&b=2", "https://e.com/2", "HTTP://e.com/8"))
		self.assertEqual(found.left, ("https://e.com/{{ name }}",))

	def test_replacing(self) -> None:
		html = "<!--[if mso]><v:x><![endif]--><a class='b' href=\"https://e.com/?a=1&amp;b=2\" id=c>x</a> https://e.com/?a=1&b=2"
		found = content.replaced(html, {"https://e.com/?a=1&b=2": "https://s.com/r/x?tfm=1&2"})
		self.assertEqual(
			found,
			"<!--[if mso]><v:x><![endif]--><a class='b' href=\"https://s.com/r/x?tfm=1&amp;2\" id=c>x</a> https://e.com/?a=1&b=2",
		)

	@given(st.text(max_size=200))
	def test_without_links_nothing_changes(self, text: str) -> None:
		self.assertEqual(content.replaced(text, {"https://e.com": "https://s.com"}), text)

	def test_the_way_out_is_always_there(self) -> None:
		html = content.with_footer("<body><p>x</p></body>", "https://e.com/u", 'Out<"')
		self.assertEqual(
			Tags(html).found[2:],
			[("p", {"style": "font-size:12px;opacity:.7"}), ("a", {"href": "https://e.com/u"})],
		)
		self.assertTrue(html.endswith("</a></p></body>"))
		own = '<body><a href="https://e.com/u">no more</a></body>'
		self.assertEqual(content.with_footer(own, "https://e.com/u", "Out"), own)

	def test_a_document(self) -> None:
		self.assertIn("<html", content.as_document("<p>x</p>", "de"))
		self.assertEqual(
			content.as_document("<html><body>x</body></html>", "de"), "<html><body>x</body></html>"
		)


class TestMessage(unittest.TestCase):
	"""EML-1, SEC-2: headers are what they should be, whatever stands in the values."""

	def queued(self, mail: Mail) -> object:
		"""The mail as Frappe's queue sends it: it reads and writes the text once more."""
		again = Parser(policy=policy.SMTP).parsestr(composed(mail, AT)).as_string()
		return message_from_string(again, policy=policy.default)

	def test_headers_and_both_texts(self) -> None:
		mail = self.queued(MAIL)
		self.assertEqual((mail["Subject"], mail["To"]), ("Grüße", "ada@example.com"))
		self.assertEqual(mail["From"], "Example Works <news@example.com>")
		self.assertEqual(mail["Message-ID"], "<id@example.com>")
		self.assertEqual(mail.get_body(("plain",)).get_content().strip(), "Größe")
		self.assertEqual(mail.get_body(("html",)).get_content().strip(), "<p>Größe</p>")

	def test_one_click_survives_the_queue(self) -> None:
		"""RFC 8058: an encoded header is none."""
		raw = Parser(policy=policy.SMTP).parsestr(composed(MAIL, AT)).as_string()
		self.assertRegex(raw, rf"List-Unsubscribe:\s+<{MAIL.leave_url}>\r\n")
		self.assertIn("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", raw)
		longest = f"https://{'h' * 33}/tf/u/{'a' * 28}"
		self.assertTrue(message.is_short(longest))
		self.assertFalse(message.is_short(longest + "a"))
		mail = Mail(
			**{field: getattr(MAIL, field) for field in Mail.__slots__ if field != "leave_url"},
			leave_url=longest,
		)
		self.assertIn(f"<{longest}>\r\n", Parser(policy=policy.SMTP).parsestr(composed(mail, AT)).as_string())

	@given(st.text(max_size=300), st.text(max_size=100))
	def test_no_value_makes_a_header(self, subject: str, name: str) -> None:
		hostile = f"{subject}\r\nBcc: victim@example.com\n\n{name}"
		mail = Mail(
			hostile,
			MAIL.sender,
			MAIL.to,
			hostile,
			hostile,
			hostile,
			MAIL.message_id,
			leave_url=MAIL.leave_url,
		)
		found = self.queued(mail)
		self.assertEqual(sorted(found.keys()), sorted(self.queued(MAIL).keys()))
		self.assertNotIn("Bcc", found)

	def test_addresses_that_are_none(self) -> None:
		for address in (
			"a@e.com\r\nBcc: b@e.com", "a@e.com, b@e.com", "Ada <a@e.com>", "", "a", "@e.com", "a@", "ä@e.com", "a@b@e.com", '"a b"@e.com',
			"a" * 250 + "@e.com",
		):  # fmt: skip
			with self.subTest(address), self.assertRaises(MessageError):
				message.plain_address(address)
		self.assertEqual(message.plain_address("o'neil+x@e.co.uk"), "o'neil+x@e.co.uk")


DSN = """From: MAILER-DAEMON@mx.example.com
To: news@example.com
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I could not deliver it.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; ada@example.com
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <ada@example.com>: no such
 user

--b
Content-Type: {kind}

Message-ID: <{token}@crm.example.com>
Subject: Hi

--b--
"""


def report(token: str, action: str = "failed", status: str = "5.1.1", kind: str = "message/rfc822") -> bytes:
	return DSN.format(token=token, action=action, status=status, kind=kind).encode()


def name_of(token: str) -> str:
	return tokens.read(tokens.MESSAGE, token, SECRET)


class TestReturns(unittest.TestCase):
	"""EML-1: reports of delivery (RFC 3464) and refusals, of all shapes; nobody can forge one."""

	token = tokens.sign(tokens.MESSAGE, ROW, SECRET)

	def test_a_report(self) -> None:
		for kind in ("message/rfc822", "text/rfc822-headers"):
			[found] = returns.reports(report(self.token, kind=kind), name_of)
			self.assertEqual((found.name, found.action, found.is_final), (ROW, "failed", True), kind)
			self.assertEqual(found.text, "5.1.1 550 5.1.1 <ada@example.com>: no such user")

	def test_what_is_not_final(self) -> None:
		for action, status in (
			("delayed", "4.4.1"),
			("failed", "4.4.7"),
			("delivered", "2.0.0"),
			("relayed", "2.0.0"),
		):
			[found] = returns.reports(
				report(self.token, action, status).replace(b"550 5.1.1", b"said"), name_of
			)
			self.assertEqual((found.action, found.is_final), (action, False))

	def test_what_is_none_of_ours(self) -> None:
		forged = tokens.sign(tokens.LEAVE, ROW, SECRET)
		for raw in (
			report(forged),
			report("x" * 28),
			b"",
			b"\xff\xfe",
			b"Subject: Hi\n\nHello",
			report(self.token).replace(b"report;", b"mixed;"),
		):
			self.assertEqual(returns.reports(raw, name_of), [])

	@given(st.binary(max_size=400), st.integers(0, len(DSN)))
	def test_whatever_comes_in(self, noise: bytes, at: int) -> None:
		raw = report(self.token)
		returns.reports(raw[:at] + noise + raw[at:], name_of)
		returns.reports(noise, name_of)

	def test_refusals(self) -> None:
		refused = "Traceback…\nsmtplib.SMTPRecipientsRefused: {'a@e.com': (550, b'5.1.1 No such user')}\n"
		self.assertEqual(returns.refusal(refused), returns.Refusal(True, "550 5.1.1 No such user"))
		for error, is_final in (
			("smtplib.SMTPRecipientsRefused: {'a@e.com': (450, b'Later')}", False),
			("smtplib.SMTPDataError: (554, b'Spam')", True),
			("smtplib.SMTPAuthenticationError: (535, b'Who?')", False),
			("smtplib.SMTPSenderRefused: (553, b'Not you', 'news@e.com')", False),
		):
			self.assertEqual(returns.refusal(error).is_final, is_final, error)
		self.assertIsNone(returns.refusal("ConnectionRefusedError: [Errno 111]"))
		self.assertIsNone(returns.refusal(None))


def at(seconds: float) -> str:
	return (datetime(2026, 11, 30, 9) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def opens(*seconds: float, who: str = traces.PERSON) -> list[traces.Trace]:
	return [(traces.OPEN, at(one), who) for one in seconds]


def clicks(*of: tuple[float, str]) -> list[traces.Trace]:
	return [(traces.CLICK, at(seconds), link) for seconds, link in of]


class TestTraces(unittest.TestCase):
	"""EML-1, RED-4: people, proxies and scanners are told apart."""

	def test_who_fetches_images(self) -> None:
		for agent, who in (
			(CHROME, traces.PERSON),
			("Mozilla/5.0", traces.PROXY),
			(
				"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
				traces.PERSON,
			),
			("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html", traces.PERSON),
			(GOOGLEBOT, traces.ROBOT),
			("", traces.ROBOT),
		):
			self.assertEqual(traces.opener(agent), who, agent)

	def test_people(self) -> None:
		found = traces.judged([*opens(5, 900), *clicks((20, "a"), (40, "b"))])
		self.assertEqual((found.opens, found.clicks, found.link, found.is_scanner), (2, 2, "a", False))
		self.assertEqual(found.opened_at.isoformat(timespec="milliseconds"), at(5))

	def test_a_burst_of_links_is_a_scanner(self) -> None:
		found = traces.judged([*opens(0), *clicks((1, "a"), (2, "b"), (3, "c"))])
		self.assertEqual((found.opens, found.clicks, found.is_scanner, found.clicked_at), (0, 0, True, None))
		later = traces.judged([*opens(0, 600), *clicks((1, "a"), (2, "b"), (3, "c"), (620, "b"))])
		self.assertEqual((later.opens, later.clicks, later.link, later.is_scanner), (1, 1, "b", True))

	def test_robots_and_proxies(self) -> None:
		found = traces.judged(
			[*opens(0, who=traces.PROXY), *opens(100, who=traces.ROBOT), *clicks((300, ""))]
		)
		self.assertEqual((found.opens, found.unsure, found.clicks, found.is_scanner), (0, 1, 0, True))
		self.assertFalse(traces.judged(opens(0, who=traces.PROXY)).is_scanner)

	def test_many_fetches_at_once(self) -> None:
		found = traces.judged(opens(0, 1, 2))
		self.assertEqual((found.opens, found.is_scanner), (0, True))

	@given(
		st.lists(
			st.tuples(
				st.sampled_from((traces.OPEN, traces.CLICK)),
				st.integers(0, 60),
				st.sampled_from(("a", "b", "c", "")),
			),
			max_size=20,
		)
	)
	def test_order_and_doubles_do_not_matter(self, some: list[tuple[str, int, str]]) -> None:
		all_of = [
			(kind, at(seconds), who if kind == traces.CLICK else (who and traces.PERSON) or traces.ROBOT)
			for kind, seconds, who in some
		]
		together = traces.joined([], all_of)
		apart = traces.joined(traces.joined([], all_of[::2]), reversed(all_of[1::2] + all_of))
		self.assertEqual(apart, together)
		self.assertEqual(traces.judged(apart), traces.judged(together))

	def test_the_status_says_most(self) -> None:
		row = {**NONE, "status": "Sending"}
		self.assertEqual(status_of(row), "Sending")
		self.assertEqual(status_of({**row, "opened_date": AT}), "Sending", "it is not known yet that it left")
		for field, status in (
			("sent_date", "Sent"),
			("opened_date", "Opened"),
			("clicked_date", "Clicked"),
			("unsubscribed_date", "Unsubscribed"),
			("bounced_date", "Bounced"),
		):
			row[field] = AT
			self.assertEqual(status_of(row), status)
		self.assertEqual(status_of({**row, "status": "Skipped"}), "Skipped")
