"""TrackFlow's script tags in a page, for tests."""

from html.parser import HTMLParser


class Tags(HTMLParser):
	"""`found`: the attributes of each."""

	def __init__(self, html: str) -> None:
		super().__init__()
		self.found: list[dict[str, str | None]] = []
		self.feed(html)

	def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
		if tag == "script" and "trackflow" in (dict(attrs).get("src") or ""):
			self.found.append(dict(attrs))
