"""QR codes of Tracked Links as files: one picture, or up to 1,000 in a ZIP (LNK-3).

What a code says is the link's own field. A logo is a File of the site that the user may read; its address is looked up
and never fetched.
"""

import os
from collections.abc import Collection
from math import isqrt
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile

import frappe
from frappe import _
from werkzeug.wrappers import Response

from trackflow.links import downloads, qr
from trackflow.validation import plain_text, readable

AT_MOST = 1000
# Of all PNGs of a ZIP: some seconds of a web worker. One with a logo costs as much as several without.
MOST_PIXELS = 500_000_000
LOGO_COSTS = 5


def picture(link_name: str, style: dict[str, Any], logo: str | None) -> Response:
	"""The picture of one link, which the user may read."""
	link = readable("Tracked Link", link_name)
	try:
		look = qr.Style(**style)
		content = qr.render(link.qr_code, look, _logo(logo))
	except qr.QrError as error:
		frappe.throw(_(str(error)))
	return downloads.attachment(content, f"{link.short_code}.{look.format}", qr.FORMATS[look.format])


def pictures(link_names: Collection[str], style: dict[str, Any], logo: str | None) -> Response:
	"""The pictures of these links as a ZIP, each named after its short code; links the user may not read stop it."""
	names = list(dict.fromkeys(link_names))
	if not 1 <= len(names) <= AT_MOST:
		frappe.throw(_("Choose between 1 and {0} links.").format(AT_MOST))
	links = frappe.get_list(
		"Tracked Link",
		filters={"name": ("in", names)},
		fields=["name", "short_code", "qr_code"],
		order_by="short_code",
		limit=len(names),
	)
	if len(links) < len(names):
		frappe.throw(_("You may not read all of these links."), frappe.PermissionError)
	try:
		look, image = qr.Style(**style), _logo(logo)
		_check_cost(look, len(links), bool(image))
		return downloads.written(
			lambda file: _write_zip(file, links, look, image), "qr-codes.zip", "application/zip"
		)
	except qr.QrError as error:
		frappe.throw(_(str(error)))


def _check_cost(look: qr.Style, pictures: int, has_logo: bool) -> None:
	if look.format == "svg":
		return
	most = MOST_PIXELS // (LOGO_COSTS if has_logo else 1)
	if pictures * look.size**2 > most:
		frappe.throw(
			_(
				"{0} pictures of {1} pixels are too much at once. Choose SVG, a size of at most {2} pixels, or at most"
				" {3} links."
			).format(pictures, look.size, isqrt(most // pictures), most // look.size**2)
		)


def _write_zip(file: IO[bytes], links: list[Any], look: qr.Style, logo: qr.Logo | None) -> None:
	# Pictures are packed already. Short codes are unique and hold nothing but letters, digits, - and _.
	compression = 8 if look.format == "svg" else ZIP_STORED
	with ZipFile(file, "w", compression) as archive:
		for link in links:
			archive.writestr(f"{link.short_code}.{look.format}", qr.render(link.qr_code, look, logo))


def _logo(logo: str | None) -> qr.Logo | None:
	"""The picture of a File, given by its name or its address on this site."""
	logo = plain_text(logo, "logo")
	if not logo:
		return None
	found = frappe.get_all(
		"File",
		filters={"is_folder": 0},
		or_filters={"name": logo, "file_url": logo},
		pluck="name",
		order_by="creation",
		limit=20,
	)
	for name in found:
		file = frappe.get_doc("File", name)
		if file.has_permission("read") and (file.file_url or "").startswith(("/files/", "/private/files/")):
			return qr.open_logo(_content(file))
	# One answer for what is not there and for what is not theirs.
	frappe.throw(_("The logo {0} is no file of this site that you may read.").format(logo))


def _content(file: Any) -> bytes:
	path = file.get_full_path()
	if not os.path.isfile(path):
		raise qr.QrError("The file of the logo is missing.")
	with open(path, "rb") as stored:
		# One byte more than allowed is enough to say no.
		return stored.read(qr.LOGO_BYTES + 1)
