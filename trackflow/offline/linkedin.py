"""LinkedIn: the JSON body of a batch request to the Conversions API (`POST /rest/conversionEvents`, `BATCH_CREATE`). Pure.

Rules, and where LinkedIn publishes them (Conversions API, and its Schema):

- `conversion` is the rule that the event belongs to, `urn:lla:llaPartnerConversion:<number>`; Campaign Manager shows the number.
- `conversionHappenedAt` in milliseconds, at most 90 days ago: older ones are refused.
- `user.userIds` has at least one of `SHA256_EMAIL` (see `hashing`) and `LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID`, which is li_fat_id
  as it came with the click. Clicks count for 90 days.
- `conversionValue`, optional: `currencyCode` (ISO 4217) and `amount`, a decimal as text.
- `eventId` is the conversion's own: what the Insight Tag told under the same id counts once.
- At most 5,000 `elements` in one request.
"""

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from trackflow.offline import reasons
from trackflow.offline.formats import decimal_text, without_empty
from trackflow.offline.shapes import Event, Platform, later

KINDS = ("li_fat_id",)
WINDOW = timedelta(days=90)
MOST = 5_000
_RULE = re.compile(r"(?:urn:lla:llaPartnerConversion:)?([0-9]{1,19})")


def action_error(name: str) -> str:
	if _RULE.fullmatch(name):
		return ""
	return "LinkedIn wants the number of a conversion rule, or urn:lla:llaPartnerConversion: and the number"


def refused(event: Event, now: datetime) -> str:
	return reasons.NO_IDENTIFIER if event.click is None and not event.email_hash else ""


def until(event: Event) -> datetime:
	return later(event.at, WINDOW)


def line(event: Event) -> str:
	ids = (
		("SHA256_EMAIL", event.email_hash),
		("LINKEDIN_FIRST_PARTY_ADS_TRACKING_UUID", event.click.value if event.click else ""),
	)
	money = (
		{} if event.value is None else {"currencyCode": event.currency, "amount": decimal_text(event.value)}
	)
	return json.dumps(
		without_empty(
			{
				"conversion": f"urn:lla:llaPartnerConversion:{_RULE.fullmatch(event.called)[1]}",
				"conversionHappenedAt": int(event.at.timestamp() * 1000),
				"conversionValue": money,
				"user": {"userIds": [{"idType": kind, "idValue": value} for kind, value in ids if value]},
				"eventId": event.id,
			}
		)
	)


def document(lines: Iterable[str]) -> str:
	return '{"elements": [\n' + ",\n".join(lines) + "\n]}\n"


LINKEDIN = Platform(
	"LinkedIn", KINDS, WINDOW, WINDOW, MOST, "json", True, True, action_error, refused, until, line, document
)
