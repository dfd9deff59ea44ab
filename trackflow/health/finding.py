"""What a check finds: a mark, what was looked at, and in words what is wrong and what to do about it. Pure."""

from dataclasses import asdict, dataclass

FINE, NOTE, BROKEN = "ok", "note", "BROKEN"


@dataclass(frozen=True, slots=True)
class Finding:
	"""One thing that was looked at."""

	mark: str
	check: str
	text: str

	@property
	def is_broken(self) -> bool:
		return self.mark == BROKEN

	def as_dict(self) -> dict[str, str]:
		return asdict(self)
