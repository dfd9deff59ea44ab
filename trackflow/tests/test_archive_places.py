"""Archives at a real server on this machine: an HTTP endpoint that does what endpoints do (RET-1)."""

import logging
import socket
import ssl
import tempfile
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

import frappe
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from trackflow import doctor
from trackflow.privacy import retention
from trackflow.privacy.archive import guard, http_place, places, restoring, trouble
from trackflow.privacy.archive.places import PlaceError
from trackflow.tests.factories import set_settings
from trackflow.tests.test_archive import ArchiveTestCase
from trackflow.tests.test_permissions import MANAGER, PermissionTestCase

TOKEN = "token-that-nobody-may-see"
PRIVATE = {guard.ALLOWED: 1}


class Endpoint:
	"""An endpoint on a free port of loopback, which keeps what it is sent; `answers` are its next status codes, `delay` the
	seconds before each answer. A context manager."""

	def __init__(self, certificate: Path | None = None) -> None:
		self.files: dict[str, bytes] = {}
		self.requests: list[tuple[str, str, str]] = []
		self.answers: list[int] = []
		self.location = ""
		self.delay = 0.0
		self.dribble = 0.0
		self.damage = False
		endpoint = self

		class Handler(BaseHTTPRequestHandler):
			def do_PUT(self) -> None:
				body = self.rfile.read(int(self.headers["Content-Length"]))
				if status := endpoint._next(self):
					self._answer(status)
					return
				endpoint.files[self.path] = body[:-1] if endpoint.damage else body
				self._answer(201)

			def do_GET(self) -> None:
				if status := endpoint._next(self):
					self._answer(status)
				elif self.path in endpoint.files:
					self._answer(200, endpoint.files[self.path])
				else:
					self._answer(404)

			def _answer(self, status: int, body: bytes = b"") -> None:
				self.send_response(status)
				if endpoint.location:
					self.send_header("Location", endpoint.location)
				if body:
					self.send_header("Content-Encoding", "gzip")
				self.send_header("Content-Length", str(len(body)))
				self.end_headers()
				for at in range(0, len(body), 100):
					self.wfile.write(body[at : at + 100])
					time.sleep(endpoint.dribble)

			def log_message(self, *_args: Any) -> None:
				pass

		self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
		self.server.daemon_threads = True
		# Of who hangs up early.
		self.server.handle_error = lambda *_request: None
		if certificate:
			context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
			context.load_cert_chain(certificate)
			self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
		scheme = "https" if certificate else "http"
		self.address = f"{scheme}://127.0.0.1:{self.server.server_address[1]}/archive"

	def _next(self, request: BaseHTTPRequestHandler) -> int:
		self.requests.append((request.command, request.path, request.headers.get("Authorization", "")))
		time.sleep(self.delay)
		return self.answers.pop(0) if self.answers else 0

	def __enter__(self) -> "Endpoint":
		Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
		return self

	def __exit__(self, *_error: object) -> None:
		self.server.shutdown()
		self.server.server_close()


def _own_certificate(folder: Path) -> Path:
	"""Key and certificate of nobody's authority, for this machine."""
	key = ec.generate_private_key(ec.SECP256R1())
	name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
	now = datetime.now(UTC)
	built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
	built = built.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
	certificate = built.sign(key, hashes.SHA256())
	secret = key.private_bytes(
		serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
	)
	path = folder / "server.pem"
	path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
	return path


class HttpTestCase(ArchiveTestCase):
	target = "Off"

	def setUp(self) -> None:
		super().setUp()
		self.endpoint = self.enterContext(Endpoint())
		self.enterContext(patch.dict(frappe.local.conf, PRIVATE))
		self.enterContext(patch.object(http_place, "PAUSE_SECONDS", 0.01))
		set_settings(
			archive_target=places.HTTP, archive_http_address=self.endpoint.address, archive_http_token=TOKEN
		)
		self.visit(1, 900)

	def run_failing(self, words: str) -> None:
		"""A run of which nothing comes but these words."""
		began = len(self.endpoint.requests)
		retention.run()
		self.assertIn(words, trouble.current())
		self.assertEqual((frappe.db.count("Click Event"), frappe.db.count("Visitor")), (1, 1))
		self.asked = self.endpoint.requests[began:]


class TestHttp(HttpTestCase):
	"""What works, and what does not."""

	def test_there_and_back(self) -> None:
		before = self.stored()
		retention.run()
		self.assertEqual((trouble.current(), self.stored()), ("", {}))
		names = [row["name"] for row in self.records()]
		self.assertEqual(sorted(self.endpoint.files), [f"/archive/{name}" for name in names])
		self.assertEqual({token for _method, _path, token in self.endpoint.requests}, {f"Bearer {TOKEN}"})
		for name in names:
			restoring.restore(name)
		self.assertEqual(self.stored().keys(), before.keys())

	def test_what_passes_is_tried_again(self) -> None:
		self.endpoint.answers = [0, 500, 503, 429]
		retention.run()
		self.assertEqual((trouble.current(), frappe.db.count("Click Event")), ("", 0))

	def test_what_lasts_is_not_tried_for_ever(self) -> None:
		self.endpoint.answers = [500] * 100
		self.run_failing("answered GET with 500")
		self.assertEqual(len(self.asked), http_place.ATTEMPTS)
		self.endpoint.answers = []
		retention.run()
		self.assertEqual((trouble.current(), frappe.db.count("Click Event")), ("", 0))

	def test_a_refused_token(self) -> None:
		for status in (401, 403):
			self.endpoint.answers = [0, status]
			self.run_failing("refuses the token")
			self.assertEqual(len(self.asked), 2)

	def test_what_it_will_not_take(self) -> None:
		self.endpoint.answers = [0, 413]
		self.run_failing("answered PUT with 413")
		self.assertEqual(len(self.asked), 2)

	def test_redirects_are_not_followed(self) -> None:
		with Endpoint() as other:
			for status in (301, 302, 303, 307, 308):
				self.endpoint.location, self.endpoint.answers = f"{other.address}/x", [status]
				self.run_failing("redirect")
				self.endpoint.answers = [0, status]
				self.run_failing("redirect")
			self.assertEqual((other.requests, self.endpoint.files), ([], {}))

	def test_slow_answers(self) -> None:
		self.endpoint.delay = 1
		with patch.object(http_place, "TIMEOUT_SECONDS", 0.1):
			self.run_failing("did not answer within")
		self.assertEqual(len(self.asked), http_place.ATTEMPTS)

	def test_ten_seconds(self) -> None:
		self.assertEqual(http_place.TIMEOUT_SECONDS, 10)

	def test_answers_that_drip(self) -> None:
		self.endpoint.dribble = 0.05
		with patch.object(http_place, "LONGEST_SECONDS", 0.1), patch.object(http_place, "PIECE", 10):
			self.run_failing("too slowly")

	def test_more_than_was_sent_is_not_read(self) -> None:
		with patch.object(http_place, "PIECE", 1000):
			name = "large.jsonl.gz"
			self.endpoint.files[f"/archive/{name}"] = b"x" * 10_000_000
			pieces = list(http_place.endpoint().read(name, 5_000))
		self.assertLessEqual(sum(map(len, pieces)), 6_000)

	def test_a_place_that_cuts_files(self) -> None:
		self.endpoint.damage = True
		self.run_failing("does not give it back as it was")

	def test_nobody_listens(self) -> None:
		with socket.socket() as free:
			free.bind(("127.0.0.1", 0))
			address = f"http://127.0.0.1:{free.getsockname()[1]}/"
		set_settings(archive_http_address=address)
		self.run_failing("cannot be reached")

	def test_certificates_are_looked_at(self) -> None:
		with tempfile.TemporaryDirectory() as folder, Endpoint(_own_certificate(Path(folder))) as other:
			set_settings(archive_http_address=other.address)
			self.run_failing("certificate")
			self.assertEqual(other.requests, [])

	def test_half_done_it_goes_on(self) -> None:
		"""Kept, and then the answer got lost: it is not sent again."""
		self.endpoint.answers = [0, 0, 502, 502, 502, 502]
		self.run_failing("502")
		sent = [path for method, path, _token in self.endpoint.requests if method == "PUT"]
		retention.run()
		again = [path for method, path, _token in self.endpoint.requests if method == "PUT"]
		self.assertEqual(again.count(sent[0]), 1)
		self.assertEqual(frappe.db.count("Click Event"), 0)

	def test_no_secret_is_said(self) -> None:
		logged: list[str] = []
		handler = logging.Handler()
		handler.emit = lambda record: logged.append(record.getMessage())
		logging.getLogger().addHandler(handler)
		self.addCleanup(logging.getLogger().removeHandler, handler)
		for answers in ([500] * 9, [0, 401], [301], [0, 413]):
			self.endpoint.answers = answers
			retention.run()
		errors = frappe.get_all("Error Log", fields=["method", "error"], order_by="name")
		said = [str(errors), str(logged), trouble.current(), str(doctor.examine()), str(self.records())]
		self.assertFalse([text for text in said if TOKEN in text])
		stored = frappe.db.get_singles_dict("TrackFlow Settings")
		self.assertNotIn(TOKEN, str(stored))


class TestWhereFilesMayGo(HttpTestCase):
	"""Only to the public internet by https, unless the site's configuration says otherwise."""

	def setUp(self) -> None:
		super().setUp()
		frappe.local.conf[guard.ALLOWED] = 0

	def test_addresses(self) -> None:
		for address in (
			"http://archive.example/", "ftp://archive.example/", "file:///etc", "https://", "archive.example", "https://u:p@archive.example/",
			"https://archive.example/?a=b", "https://archive.example/#a", "https://archive.example:x/", "",
		):  # fmt: skip
			with self.subTest(address), self.assertRaises(frappe.ValidationError):
				set_settings(archive_http_address=address)
		set_settings(archive_http_address=" https://archive.example/of/trackflow ")

	def test_http_is_no_address(self) -> None:
		self.run_failing("must begin with https://")

	def test_who_is_at_the_other_end(self) -> None:
		"""Looked at when the connection stands: nothing is sent, whatever the name was looked up as before."""
		port = self.endpoint.server.server_address[1]
		for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
			set_settings(archive_http_address=f"https://{host}:{port}/archive")
			self.run_failing("private network")
		self.assertEqual(self.endpoint.requests, [])

	def test_public(self) -> None:
		for address in ("93.184.215.14", "2606:4700::1111", "64:ff9b::93.184.215.14"):
			guard.current().check_peer(address, "archive.example")
		for address in (
			"127.0.0.1", "10.1.2.3", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1",
			"fe80::1%eth0", "fd00::1", "fec0::1", "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "::127.0.0.1", "64:ff9b::169.254.169.254",
			"2002:7f00:1::",
		):  # fmt: skip
			with self.subTest(address), self.assertRaises(PlaceError):
				guard.current().check_peer(address, "archive.example")

	def test_endpoints_of_buckets(self) -> None:
		with self.assertRaises(frappe.ValidationError):
			set_settings(
				archive_target=places.S3, archive_s3_bucket="one", archive_s3_endpoint="http://127.0.0.1:1"
			)
		set_settings(
			archive_target=places.S3, archive_s3_bucket="one", archive_s3_endpoint="https://127.0.0.1:1"
		)
		self.run_failing("private network")


class TestSettings(PermissionTestCase):
	"""Where files go is a System Manager's to say; secrets are read by nobody."""

	def test_others_change_nothing_of_it(self) -> None:
		set_settings(
			archive_target=places.HTTP,
			archive_http_address="https://archive.example/",
			archive_http_token=TOKEN,
		)
		self.addCleanup(set_settings, archive_http_token="")
		shown = self.api(MANAGER, "GET", "TrackFlow Settings", "TrackFlow Settings").json["data"]
		self.assertFalse([field for field in shown if field.startswith("archive_") and shown[field]])
		changes = {
			"archive_target": "Off",
			"archive_http_address": "https://evil.example/",
			"session_timeout_minutes": 29,
		}
		answer = self.api(MANAGER, "PUT", "TrackFlow Settings", "TrackFlow Settings", json=changes)
		self.assertEqual(answer.status_code, 200, answer.text)
		frappe.clear_document_cache("TrackFlow Settings", "TrackFlow Settings")
		settings = frappe.get_single("TrackFlow Settings")
		self.assertEqual(
			(settings.session_timeout_minutes, settings.archive_target, settings.archive_http_address),
			(29, places.HTTP, "https://archive.example/"),
		)
		self.assertEqual(settings.get_password("archive_http_token"), TOKEN)
		self.assertNotIn(TOKEN, answer.text)

	def test_what_is_typed(self) -> None:
		for values in (
			{"archive_target": places.S3},
			{"archive_target": places.S3, "archive_s3_bucket": "Not A Bucket"},
			{"archive_target": places.S3, "archive_s3_bucket": "one", "archive_s3_backup_bucket": "one"},
			{"archive_target": places.S3, "archive_s3_bucket": "one", "archive_s3_access_key": "id"},
			{"archive_http_token": "two words"},
			{"archive_http_token": "line\nbreak"},
			{"archive_target": "Somewhere"},
		):
			with self.subTest(values), self.assertRaises(frappe.ValidationError):
				set_settings(**values)
			frappe.db.rollback()
