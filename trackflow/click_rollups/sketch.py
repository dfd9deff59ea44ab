"""How many different visitors there were, in a form that can be merged over days and says nobody's id. Pure.

HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 4,096 registers and the estimator of Ertl (2017, arXiv:1702.01284,
"improved raw estimation"), which needs no table of corrections at either end: the standard error is 1.04 / √4096 = 1.6 %, less for
some hundred visitors. Ours, since the library that does it well (datasketches) brings numpy and is not built for every Python
that the app runs on.
"""

import hashlib
import math
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable

_BITS = 12
REGISTERS = 1 << _BITS
# A hash has 64 bits: those that do not name the register are looked at for zeros.
_REST = 64 - _BITS
_RANK_BITS = 6
_RANK_MASK = (1 << _RANK_BITS) - 1
# Up to here the registers that are set are written one by one.
_SPARSE = 250
_ENTRY_BYTES = 3


def place_of(text: str) -> int:
	"""Where a text stands in any sketch: its register, and the rank that it has there."""
	hashed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
	rank = _REST + 1 - (hashed >> _BITS).bit_length()
	return (hashed & (REGISTERS - 1)) << _RANK_BITS | rank


class Sketch:
	"""Adding a text twice, or in another order, makes no difference."""

	__slots__ = ("_ranks",)

	def __init__(self, places: Iterable[int] = ()) -> None:
		self._ranks: dict[int, int] = {}
		for place in places:
			self.add(place)

	def add(self, place: int) -> None:
		"""Add what `place_of` said of a text."""
		register, rank = place >> _RANK_BITS, place & _RANK_MASK
		if rank > self._ranks.get(register, 0):
			self._ranks[register] = rank

	def merge(self, other: "Sketch") -> None:
		"""Add all that is in another one."""
		ranks = self._ranks
		for register, rank in other._ranks.items():
			if rank > ranks.get(register, 0):
				ranks[register] = rank

	def estimate(self) -> int:
		"""About how many different texts were added."""
		number = Counter(self._ranks.values())
		number[0] = REGISTERS - len(self._ranks)
		z = REGISTERS * _tau(1 - number[_REST + 1] / REGISTERS)
		for rank in range(_REST, 0, -1):
			z = (z + number[rank]) / 2
		z += REGISTERS * _sigma(number[0] / REGISTERS)
		return round(REGISTERS * REGISTERS / (2 * math.log(2) * z))

	def text(self) -> str:
		"""For `of_text`; the same for the same content, "" for none."""
		if not self._ranks:
			return ""
		if len(self._ranks) <= _SPARSE:
			entries = sorted(register << _RANK_BITS | rank for register, rank in self._ranks.items())
			return "s" + _base64(b"".join(entry.to_bytes(_ENTRY_BYTES, "big") for entry in entries))
		return "d" + _base64(zlib.compress(bytes(self._ranks.get(one, 0) for one in range(REGISTERS)), 9))


def of_text(text: str | None) -> Sketch:
	"""The sketch that a text is of; raises ValueError for what is none."""
	sketch = Sketch()
	if not text:
		return sketch
	if text[0] == "s":
		content = b64decode(text[1:])
		entries = (content[at : at + _ENTRY_BYTES] for at in range(0, len(content), _ENTRY_BYTES))
		for entry in entries:
			sketch.add(int.from_bytes(entry, "big"))
	elif text[0] == "d":
		ranks = zlib.decompress(b64decode(text[1:]))
		sketch._ranks = {register: rank for register, rank in enumerate(ranks) if rank}
	else:
		raise ValueError(f"A sketch does not begin with {text[0]!r}")
	return sketch


def _base64(content: bytes) -> str:
	return b64encode(content).decode()


def _sigma(x: float) -> float:
	"""Ertl's σ: what registers that are 0 add; infinite if all are."""
	if x == 1:
		return math.inf
	total, power = x, 1.0
	while True:
		x *= x
		before = total
		total += x * power
		power *= 2
		if total == before:
			return total


def _tau(x: float) -> float:
	"""Ertl's τ: what registers at the highest rank add."""
	if x in (0, 1):
		return 0.0
	total, power = 1 - x, 1.0
	while True:
		x = math.sqrt(x)
		before = total
		power /= 2
		total -= (1 - x) ** 2 * power
		if total == before:
			return total / 3
