"""An entry of the stream, and a line of the spool: records as JSON. Pure."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

Record = dict[str, Any]

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder()


def encode(value: Sequence[Record | msgspec.Struct] | Record | msgspec.Struct) -> bytes:
	"""Records as an entry holds them, or one as a line does; what is a Struct comes back as a dict."""
	try:
		return _ENCODER.encode(value)
	except (ValueError, OverflowError, msgspec.MsgspecError):
		# Half characters, which JSON can hold.
		return json.dumps(value, separators=(",", ":"), default=msgspec.to_builtins).encode()


def decode(entry: bytes) -> list[Record]:
	"""The records of an entry, without what is none. Raises ValueError where it holds no list of them."""
	records = _loaded(entry)
	if not isinstance(records, list):
		raise ValueError("An entry is a list of records")
	return [record for record in records if isinstance(record, dict)]


def _loaded(entry: bytes) -> Any:
	try:
		return _DECODER.decode(entry)
	except (ValueError, msgspec.MsgspecError):
		# It refuses half characters here, too, and numbers that are none.
		return json.loads(entry)
