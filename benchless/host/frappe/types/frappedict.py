"""`_dict`: a dict whose keys read and write as attributes; a missing key reads as None, never as an error."""

from typing import Any, TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class _dict(dict[KeyT, ValueT]):
	"""Dict with attribute access. Missing names with two underscores stay errors, so that copy and pickle look them up properly."""

	__slots__ = ()
	__setattr__ = dict.__setitem__
	__delattr__ = dict.__delitem__

	def __getattr__(self, key: str) -> Any:
		value = self.get(key)
		if not value and key.startswith("__"):
			raise AttributeError(key)
		return value

	def __reduce__(self) -> tuple:
		return _dict, (dict(self),)

	def update(self, *args: Any, **kwargs: Any) -> "_dict":
		"""Like dict.update, but returns self so that calls chain."""
		super().update(*args, **kwargs)
		return self

	def copy(self) -> "_dict":
		return _dict(self)
