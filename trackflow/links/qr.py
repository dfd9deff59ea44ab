"""QR codes as PNG and SVG, in colours and with a logo (LNK-3). No Frappe, no network: what is drawn is passed in.

Promises pictures that a reader reads: too little contrast, too small modules and too large a logo are refused in
plain English (QrError). Sizes, margins and logos are bounded, so that no request can ask for much memory.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO

import segno
from PIL import Image, ImageColor, ImageDraw

FORMATS = {"png": "image/png", "svg": "image/svg+xml"}
LEVELS = ("L", "M", "Q", "H")
SMALLEST, LARGEST = 64, 2048
MARGINS = (0, 20)
# A reader needs the picture's modules to be more than a dot each.
MODULE_PIXELS = 2
# WCAG's ratio of luminances. Printed and photographed codes lose some of it.
CONTRAST = 4.0

# In percent of the code's width. A quarter covers, with its rim, less than a tenth of the modules; level H mends 15 %.
LOGO_PERCENT = (10, 25)
LOGO_BYTES = 2 * 1024 * 1024
LOGO_SIDE = 2000
LOGO_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")
_EMBEDDED_SIDE = 256

_COLOUR = re.compile(r"#?([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


class QrError(ValueError):
	"""The picture cannot be drawn as asked; the message is for the person who asked."""


@dataclass(frozen=True, slots=True)
class Style:
	"""How a code looks. `size` is the picture's width in pixels, `margin` counts modules, colours are #rrggbb."""

	format: str = "png"
	size: int = 512
	margin: int = 4
	error_correction: str = "M"
	dark: str = "#000000"
	light: str = "#ffffff"
	logo_percent: int = 20

	def __post_init__(self) -> None:
		self._set("format", self.format.strip().lower())
		self._set("error_correction", self.error_correction.strip().upper())
		self._set("dark", _colour(self.dark))
		self._set("light", _colour(self.light))
		if self.format not in FORMATS:
			raise QrError("The format is either png or svg.")
		if self.error_correction not in LEVELS:
			raise QrError("The error correction is one of L, M, Q and H.")
		_within("The size", self.size, SMALLEST, LARGEST)
		_within("The margin", self.margin, *MARGINS)
		_within("The logo's share of the width", self.logo_percent, *LOGO_PERCENT)
		_check_contrast(self.dark, self.light)

	def _set(self, field: str, value: str) -> None:
		object.__setattr__(self, field, value)


@dataclass(frozen=True, eq=False)
class Logo:
	"""A picture to be put into codes, packed once for all that embed it."""

	picture: Image.Image

	def fitted(self, side: int) -> Image.Image:
		"""As large as fits into a square; small ones grow."""
		ratio = side / max(self.picture.size)
		return self.picture.resize(tuple(max(1, round(length * ratio)) for length in self.picture.size))

	@cached_property
	def embedded(self) -> str:
		"""As the address that an SVG holds."""
		image = BytesIO()
		self.fitted(_EMBEDDED_SIDE).save(image, "PNG")
		return f"data:image/png;base64,{base64.b64encode(image.getvalue()).decode()}"


def open_logo(content: bytes) -> Logo:
	"""A raster picture as it can be put into a code; size and kind are checked before a pixel is unpacked."""
	if len(content) > LOGO_BYTES:
		raise QrError(f"The logo is larger than {LOGO_BYTES // 1024 // 1024} MB.")
	try:
		picture = Image.open(BytesIO(content), formats=LOGO_FORMATS)
		if max(picture.size) > LOGO_SIDE:
			raise QrError(f"The logo is wider or higher than {LOGO_SIDE} pixels.")
		picture = picture.convert("RGBA")
	except QrError:
		raise
	except Exception:
		# Pillow raises whatever a broken file leads to, from SyntaxError to struct.error.
		raise QrError("The logo is not a PNG, JPEG, GIF or WebP picture that can be read.") from None
	if min(picture.size) < 1 or not picture.getbbox():
		raise QrError("The logo is empty.")
	picture.thumbnail((_EMBEDDED_SIDE * 2, _EMBEDDED_SIDE * 2))
	return Logo(picture)


def render(text: str, style: Style, logo: Logo | None = None) -> bytes:
	"""The picture of `text`. A logo raises the error correction to H, whatever was asked."""
	code = segno.make_qr(text, error="H" if logo else style.error_correction)
	modules = code.symbol_size(border=style.margin)[0]
	if style.size < modules * MODULE_PIXELS:
		raise QrError(f"This code needs a size of at least {modules * MODULE_PIXELS} pixels.")
	draw = _svg if style.format == "svg" else _png
	return draw(code, style, modules, logo)


def _png(code: segno.QRCode, style: Style, modules: int, logo: Logo | None) -> bytes:
	scale = style.size // modules
	drawn = BytesIO()
	code.save(drawn, kind="png", border=style.margin, dark="#fff", light="#000")
	modules_drawn = Image.open(drawn).convert("1").resize((scale * modules,) * 2, Image.Resampling.NEAREST)
	# Two colours in a palette: small and quick to pack, however large the picture is.
	picture = Image.new("P", (style.size, style.size), 1)
	picture.putpalette([*ImageColor.getrgb(style.dark), *ImageColor.getrgb(style.light)])
	# Modules are whole pixels, so that they stay sharp; what is left over widens the margin.
	offset = (style.size - scale * modules) // 2
	picture.paste(0, (offset, offset), modules_drawn)
	if logo:
		picture = picture.convert("RGB")
		start, side = _logo_place(code, style)
		box = [offset + round(scale * value) for value in (start, start, start + side, start + side)]
		ImageDraw.Draw(picture).rectangle([box[0], box[1], box[2] - 1, box[3] - 1], fill=style.light)
		fitted = logo.fitted(round(scale * (side - 1)))
		place = tuple(box[0] + (box[2] - box[0] - length) // 2 for length in fitted.size)
		picture.paste(fitted, place, fitted)
	result = BytesIO()
	picture.save(result, "PNG")
	return result.getvalue()


def _svg(code: segno.QRCode, style: Style, modules: int, logo: Logo | None) -> bytes:
	drawn = BytesIO()
	code.save(
		drawn,
		kind="svg",
		border=style.margin,
		dark=style.dark,
		light=style.light,
		xmldecl=False,
		omitsize=True,
		svgclass=None,
		lineclass=None,
		nl=False,
	)
	svg = drawn.getvalue().decode()
	svg = svg.replace("<svg ", f'<svg width="{style.size}" height="{style.size}" ', 1)
	if logo:
		start, side = _logo_place(code, style)
		svg = svg.removesuffix("</svg>") + (
			f'<rect x="{start}" y="{start}" width="{side}" height="{side}" fill="{style.light}"/>'
			f'<image x="{start + 0.5}" y="{start + 0.5}" width="{side - 1}" height="{side - 1}" '
			f'href="{logo.embedded}"/></svg>'
		)
	return svg.encode()


def _logo_place(code: segno.QRCode, style: Style) -> tuple[int, int]:
	"""Where the cleared square begins and how wide it is, in modules: in the middle, whole modules, with a rim."""
	width = code.symbol_size(border=0)[0]
	side = round(width * style.logo_percent / 100) + 1
	side += (width - side) % 2
	return style.margin + (width - side) // 2, side


def _colour(text: str) -> str:
	found = _COLOUR.fullmatch((text or "").strip())
	if not found:
		raise QrError("A colour is written like #1a2b3c.")
	digits = found[1].lower()
	return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def _check_contrast(dark: str, light: str) -> None:
	darkness, lightness = _luminance(dark), _luminance(light)
	if darkness >= lightness:
		raise QrError("The code must be darker than its background: many readers see no inverted codes.")
	if (lightness + 0.05) / (darkness + 0.05) < CONTRAST:
		raise QrError("The two colours are too alike to be told apart by a reader.")


def _luminance(colour: str) -> float:
	"""Relative luminance by WCAG 2: 0 is black, 1 is white."""
	channels = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
	linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
	return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _within(what: str, value: int, lowest: int, highest: int) -> None:
	if not lowest <= value <= highest:
		raise QrError(f"{what} must be between {lowest} and {highest}.")
