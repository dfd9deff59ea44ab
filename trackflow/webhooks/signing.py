"""How a delivery is signed, as Standard Webhooks has it (www.standardwebhooks.com), so that libraries for receivers exist (WHK-1). Pure.

HMAC-SHA256 over id, timestamp and body, with dots between them: a body cannot be sent again under another time or id. The sender
compares nothing; docs/webhooks.md shows how a receiver does, in constant time.
"""

import base64
import hashlib
import hmac

PREFIX = "whsec_"


def shown(secret: bytes) -> str:
	"""A secret as receivers are given it."""
	return PREFIX + base64.b64encode(secret).decode()


def headers(event: str, name: str, timestamp: int, body: bytes, secret: bytes) -> dict[str, str]:
	"""What goes along with a body. `timestamp` in seconds since 1970."""
	signed = hmac.digest(secret, b".".join((name.encode(), str(timestamp).encode(), body)), hashlib.sha256)
	return {
		"Content-Type": "application/json",
		"webhook-id": name,
		"webhook-timestamp": str(timestamp),
		"webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
		"trackflow-event": event,
	}
