"""QR codes as pictures, read back by a reader as a phone would (LNK-3)."""

import base64
import re
import unittest
from io import BytesIO
from typing import Any
from unittest.mock import patch
from zipfile import ZipFile

import frappe
import zxingcpp
from PIL import Image, ImageDraw

from trackflow.links import qr, qr_files
from trackflow.tests import factories
from trackflow.tests.base import TrackFlowTestCase, counted_statements
from trackflow.tests.properties import given, settings, st
from trackflow.tests.test_permissions import CAMPAIGNER, NOBODY, PermissionTestCase

TEXT = "https://go.example.com/r/k3x9p2?qr=1"
METHOD = "/api/method/trackflow.api.links."


def read(content: bytes) -> Any:
	"""What a reader sees in a picture: PNG, or SVG as this module draws it."""
	picture = rasterised(content) if content.lstrip().startswith(b"<svg") else Image.open(BytesIO(content))
	found = zxingcpp.read_barcodes(picture.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)
	assert len(found) == 1, f"{len(found)} codes found"
	return found[0]


def rasterised(content: bytes, scale: int = 8) -> Image.Image:
	"""Draw the few elements of SVG that the codes are made of: a ground, lines of modules, a rectangle, an image."""
	svg = content.decode()
	width = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])
	picture = Image.new("RGB", (width * scale, width * scale), "#808080")
	draw = ImageDraw.Draw(picture)
	ground, lines = re.findall(r"<path[^>]*>", svg)
	colour = re.search(r'fill="(#\w+)"', ground)[1]
	draw.rectangle([0, 0, width * scale, width * scale], fill=colour)
	_draw_modules(draw, lines, scale)
	for x, y, w, h, fill in re.findall(
		r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" fill="(#\w+)"/>', svg
	):
		box = [float(value) * scale for value in (x, y, float(x) + float(w), float(y) + float(h))]
		draw.rectangle([box[0], box[1], box[2] - 1, box[3] - 1], fill=fill)
	for x, y, w, data in re.findall(
		r'<image x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"[^>]*base64,([^"]+)"', svg
	):
		logo = Image.open(BytesIO(base64.b64decode(data))).convert("RGBA")
		side = round(float(w) * scale)
		logo.thumbnail((side, side))
		picture.paste(logo, (round(float(x) * scale), round(float(y) * scale)), logo)
	return picture


def _draw_modules(draw: ImageDraw.ImageDraw, lines: str, scale: int) -> None:
	stroke = re.search(r'stroke="(#\w+)"', lines)[1]
	x = y = 0.0
	for command, numbers in re.findall(r"([Mmh])([^Mmh\"]+)", re.search(r' d="([^"]+)"', lines)[1]):
		values = [float(value) for value in re.findall(r"-?[\d.]+", numbers)]
		if command == "h":
			box = [x * scale, (y - 0.5) * scale, (x + values[0]) * scale - 1, (y + 0.5) * scale - 1]
			draw.rectangle(box, fill=stroke)
			x += values[0]
		else:
			x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])


def logo_of(*size: int, kind: str = "PNG", mode: str = "RGB", colour: Any = "#cc0033") -> bytes:
	content = BytesIO()
	Image.new(mode, size or (300, 300), colour).save(content, kind)
	return content.getvalue()


class TestPictures(unittest.TestCase):
	"""LNK-3: what is drawn is read back, in both formats, at all levels, in colours, with a logo."""

	def test_every_level_and_format(self) -> None:
		for format in qr.FORMATS:
			for level in qr.LEVELS:
				with self.subTest(format, level=level):
					found = read(qr.render(TEXT, qr.Style(format=format, error_correction=level)))
					self.assertEqual(found.text, TEXT)
					self.assertGreaterEqual(qr.LEVELS.index(found.ec_level), qr.LEVELS.index(level))

	def test_sizes_and_margins(self) -> None:
		for size in (160, 333, 2048):
			for margin in (0, 4, 20):
				with self.subTest(size=size, margin=margin):
					content = qr.render(TEXT, qr.Style(size=size, margin=margin))
					self.assertEqual(Image.open(BytesIO(content)).size, (size, size))
					self.assertEqual(read(content).text, TEXT)
		svg = qr.render(TEXT, qr.Style(format="svg", size=333)).decode()
		self.assertTrue(svg.startswith('<svg width="333" height="333" '), svg[:80])

	def test_colours(self) -> None:
		for dark, light in (("#0b3d91", "#ffffff"), ("#000", "#ffd700"), ("7a0019", "fdf5e6")):
			for format in qr.FORMATS:
				with self.subTest(dark, format=format):
					content = qr.render(TEXT, qr.Style(format=format, dark=dark, light=light))
					self.assertEqual(read(content).text, TEXT)

	def test_logos(self) -> None:
		long = "https://go.example.com/r/" + "a" * 64 + "?qr=1"
		kinds = ((300, 300, "PNG"), (400, 80, "JPEG"), (16, 16, "GIF"), (80, 400, "WEBP"))
		for text in (TEXT, "https://a.bc/r/x?qr=1", long):
			for width, height, kind in kinds:
				for share in qr.LOGO_PERCENT:
					for format in qr.FORMATS:
						with self.subTest(text, kind=kind, share=share, format=format):
							logo = qr.open_logo(logo_of(width, height, kind=kind))
							style = qr.Style(format=format, error_correction="L", logo_percent=share)
							found = read(qr.render(text, style, logo))
							self.assertEqual((found.text, found.ec_level), (text, "H"))

	def test_a_logo_is_seen(self) -> None:
		content = qr.render(TEXT, qr.Style(), qr.open_logo(logo_of()))
		self.assertEqual(Image.open(BytesIO(content)).getpixel((256, 256)), (0xCC, 0, 0x33))
		clear = qr.open_logo(logo_of(mode="RGBA", colour=(200, 0, 50, 1)))
		content = qr.render(TEXT, qr.Style(light="#ffffee"), clear)
		self.assertGreater(min(Image.open(BytesIO(content)).getpixel((256, 256))), 230)

	@settings(max_examples=40)
	@given(
		st.text("abcdefghjkmnpqrstuvwxyz23456789-_", min_size=1, max_size=64),
		st.integers(160, 700),
		st.integers(0, 10),
		st.sampled_from(qr.LEVELS),
		st.sampled_from(sorted(qr.FORMATS)),
	)
	def test_any_code(self, code: str, size: int, margin: int, level: str, format: str) -> None:
		text = f"https://go.example.com/r/{code}?qr=1"
		style = qr.Style(format=format, size=size, margin=margin, error_correction=level)
		try:
			content = qr.render(text, style)
		except qr.QrError as error:
			self.assertIn("at least", str(error))
			return
		self.assertEqual(read(content).text, text)


class TestRefusals(unittest.TestCase):
	"""LNK-3: what would not be read, or would cost too much, is refused in words."""

	def refuse(self, words: str, **style: Any) -> None:
		with self.subTest(style), self.assertRaisesRegex(qr.QrError, words):
			qr.render(TEXT, qr.Style(**style))

	def test_styles(self) -> None:
		self.refuse("png or svg", format="gif")
		for size in (0, 63, 2049, 10**9):
			self.refuse("The size must be between", size=size)
		self.refuse("at least 74 pixels", size=64)
		for margin in (-1, 21):
			self.refuse("The margin must be", margin=margin)
		self.refuse("one of L, M", error_correction="X")
		for colour in ("red", "#12", "url(#a)", '#000"/><script>', ""):
			self.refuse("A colour is written", dark=colour)
		self.refuse("darker", dark="#ffffff", light="#000000")
		self.refuse("too alike", dark="#777777", light="#999999")
		self.refuse("too alike", dark="#ffd700")
		for share in (9, 26):
			self.refuse("share of the width", logo_percent=share)

	def test_logos(self) -> None:
		vector = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
		for content in (
			b"",
			b"no picture",
			vector,
			logo_of(kind="TIFF"),
			logo_of(kind="BMP"),
			logo_of()[:20],
		):
			with self.subTest(content[:20]), self.assertRaisesRegex(qr.QrError, "not a PNG"):
				qr.open_logo(content)
		with self.assertRaisesRegex(qr.QrError, "larger than"):
			qr.open_logo(b"x" * (qr.LOGO_BYTES + 1))
		with self.assertRaisesRegex(qr.QrError, "empty"):
			qr.open_logo(logo_of(mode="RGBA", colour=(0, 0, 0, 0)))

	def test_a_bomb_is_not_unpacked(self) -> None:
		"""A header may promise any size; the answer comes before a pixel is read."""
		header = logo_of(8, 8)
		bomb = header[:16] + (50_000).to_bytes(4, "big") * 2 + header[24:]
		with self.assertRaises(qr.QrError):
			qr.open_logo(bomb)
		with self.assertRaisesRegex(qr.QrError, "wider or higher"):
			qr.open_logo(logo_of(qr.LOGO_SIDE + 1, 1))


class TestDownloads(PermissionTestCase):
	"""LNK-3: pictures for those who may read the link, one by one and as a ZIP."""

	def setUp(self) -> None:
		super().setUp()
		self.link = factories.make_link("Flyer")

	def tearDown(self) -> None:
		for name in frappe.get_all("File", {"file_name": ("like", "trackflow-logo%")}, pluck="name"):
			frappe.delete_doc("File", name, force=True, ignore_permissions=True)
		frappe.db.commit()
		super().tearDown()

	def call(self, method: str, user: str | None = CAMPAIGNER, verb: str = "GET", **query: Any) -> Any:
		headers = self.authorization(user)
		options = {"query_string": query} if verb == "GET" else {"json": query}
		return self.request(verb, METHOD + method, headers=headers, **options)

	def make_logo(self, content: bytes, owner: str = "Administrator", **values: Any) -> str:
		file = {
			"doctype": "File",
			"file_name": "trackflow-logo.png",
			"content": content,
			"is_private": 1,
			**values,
		}
		doc = frappe.get_doc(file).insert(ignore_permissions=True)
		frappe.db.set_value("File", doc.name, "owner", owner)
		return doc.file_url

	def assert_refused(self, answer: Any, words: str, status: int = 417) -> None:
		self.assertEqual(answer.status_code, status, answer.text)
		self.assertIn(words, answer.text)
		self.assertIn(answer.json["exc_type"], ("ValidationError", "PermissionError"))

	def test_a_picture(self) -> None:
		for format, mimetype in qr.FORMATS.items():
			with self.subTest(format):
				answer = self.call("qr_code", link_name=self.link.name, format=format, size=300)
				self.assertEqual(answer.status_code, 200, answer.data[:300])
				self.assertEqual(answer.mimetype, mimetype)
				self.assertIn(f"flyer.{format}", answer.headers["Content-Disposition"])
				self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
				self.assertIn("sandbox", answer.headers["Content-Security-Policy"])
				text = read(answer.data).text
				self.assertEqual(text, frappe.db.get_value("Tracked Link", self.link.name, "qr_code"))
				self.assertTrue(text.endswith("/r/flyer?qr=1"))

	def test_who_may(self) -> None:
		for user in (None, NOBODY):
			self.assertEqual(self.call("qr_code", user, link_name=self.link.name).status_code, 403)
			self.assertEqual(self.call("qr_codes", user, link_names=f'["{self.link.name}"]').status_code, 403)
		self.assertEqual(self.call("qr_code", link_name="nothing").status_code, 404)
		# Who may read none is not told which there are.
		self.assertEqual(self.call("qr_code", NOBODY, link_name="nothing").status_code, 403)

	def test_errors_in_words(self) -> None:
		self.assert_refused(self.call("qr_code", link_name=self.link.name, size=5), "size must be between")
		self.assert_refused(
			self.call("qr_code", link_name=self.link.name, size="big"), "size must be a whole number"
		)
		self.assert_refused(self.call("qr_code", link_name=self.link.name, dark="#fff"), "darker")

	def test_a_logo_of_the_site(self) -> None:
		url = self.make_logo(logo_of(), owner=CAMPAIGNER)
		for logo in (url, frappe.db.get_value("File", {"file_url": url})):
			answer = self.call("qr_code", link_name=self.link.name, logo=logo)
			self.assertEqual(answer.status_code, 200, answer.data[:300])
			self.assertEqual(read(answer.data).ec_level, "H")

	def test_a_logo_that_is_not_theirs(self) -> None:
		"""No address is fetched, no file is read that is none, and what is refused says the same."""
		outside = frappe.get_doc(
			{
				"doctype": "File",
				"file_name": "trackflow-logo-2.png",
				"file_url": "http://127.0.0.1:9/trackflow-logo-2.png",
				"owner": CAMPAIGNER,
			}
		).insert(ignore_permissions=True)
		for logo in (
			self.make_logo(logo_of()),
			outside.name,
			"http://127.0.0.1:9/x.png",
			"/private/files/../../site_config.json",
			"/etc/passwd",
		):
			with self.subTest(logo):
				answer = self.call("qr_code", link_name=self.link.name, logo=logo)
				self.assert_refused(answer, "no file of this site that you may read")

	def test_a_logo_that_is_none(self) -> None:
		url = self.make_logo(b"<svg/>", owner=CAMPAIGNER)
		self.assert_refused(self.call("qr_code", link_name=self.link.name, logo=url), "not a PNG")

	def test_halves_of_characters(self) -> None:
		for call in (
			{"link_names": [self.link.name], "logo": "\ud800"},
			{"link_names": ["\ud800"]},
		):
			answer = self.call("qr_codes", verb="POST", **call)
			self.assert_refused(answer, "holds characters that no text can hold")

	def test_a_zip_costs_some_seconds_at_most(self) -> None:
		"""So many pixels, fewer with a logo; the words name the ways out, and those work."""
		names = [self.link.name, *(factories.make_link().name for _number in range(3))]
		logo = self.make_logo(logo_of(), owner=CAMPAIGNER)
		with patch.object(qr_files, "MOST_PIXELS", 4 * 300**2):
			for style, words in (
				({"size": 301}, "a size of at most 300 pixels, or at most 3 links"),
				({"size": 300, "logo": logo}, "a size of at most 134 pixels, or at most 0 links"),
			):
				answer = self.call("qr_codes", verb="POST", link_names=names, **style)
				self.assert_refused(answer, words)
			for style in (
				{"size": 300},
				{"size": 134, "logo": logo},
				{"size": 2048, "format": "svg", "logo": logo},
			):
				answer = self.call("qr_codes", verb="POST", link_names=names, **style)
				self.assertEqual(answer.status_code, 200, answer.data[:300])

	def test_a_zip(self) -> None:
		links = [self.link, *(factories.make_link() for _number in range(4))]
		names = frappe.as_json([link.name for link in links])
		for verb in ("GET", "POST"):
			for format in qr.FORMATS:
				with self.subTest(verb, format=format):
					answer = self.call("qr_codes", verb=verb, link_names=names, format=format, size=200)
					self.assertEqual((answer.status_code, answer.mimetype), (200, "application/zip"))
					with ZipFile(BytesIO(answer.data)) as archive:
						files = {name: read(archive.read(name)).text for name in archive.namelist()}
					wanted = {f"{link.short_code}.{format}": link.qr_code for link in links}
					self.assertEqual(files, wanted)

	def test_a_zip_has_its_limits(self) -> None:
		self.assert_refused(self.call("qr_codes", link_names="[]"), "between 1 and 1000")
		self.assert_refused(self.call("qr_codes", link_names="flyer"), "not valid JSON")
		self.assert_refused(self.call("qr_codes", link_names="3"), "list of names")
		many = frappe.as_json([str(number) for number in range(1001)])
		self.assert_refused(self.call("qr_codes", verb="POST", link_names=many), "between 1 and 1000")
		unknown = frappe.as_json([self.link.name, "nothing"])
		self.assert_refused(self.call("qr_codes", link_names=unknown), "may not read all", 403)
		answer = self.call("qr_codes", link_names=f'["{self.link.name}"]', size=65)
		self.assert_refused(answer, "at least")


class TestCost(TrackFlowTestCase):
	"""A ZIP reads its links at once, however many."""

	def test_statements_do_not_grow(self) -> None:
		links = [factories.make_link() for _number in range(12)]
		qr_files.pictures([links[0].name], {"size": 128}, None).close()
		counts = []
		for some in (links[:2], links):
			with counted_statements() as statements:
				qr_files.pictures([link.name for link in some], {"size": 128}, None).close()
			counts.append(len(statements))
		self.assertEqual(counts[0], counts[1])
