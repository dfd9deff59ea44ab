"""The image pixel, for pages without scripts (COL-5): a page view like any other, judged by its Referer. Pure."""

import base64
import json
from collections.abc import Mapping

# One transparent pixel.
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
HEADERS = {
	"Cache-Control": "no-store",
	"Cross-Origin-Resource-Policy": "cross-origin",
	"X-Content-Type-Options": "nosniff",
	"X-Robots-Tag": "noindex",
}


def body_of(query: Mapping[str, str], page: str, event_id: str) -> bytes:
	"""The collector's body for an image on `page` (the Referer). Browsers tell other websites only the page's host: `url` may
	say the whole address, and must belong to the key's domain as it does in any event."""
	event = {
		"publicKey": query.get("key", ""),
		"eventId": event_id,
		"type": "PAGE_VIEW",
		"url": query.get("url") or page,
		"referrer": query.get("referrer"),
		"title": query.get("title"),
	}
	return json.dumps(event).encode()
