"""Arguments of whitelisted functions are validated and converted by their annotations, by pydantic as in Frappe.

A wrong type raises FrappeTypeError (417). Annotations that are only names (strings) are not checked.
"""

import inspect
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, ForwardRef, Union

from pydantic import ConfigDict, TypeAdapter
from pydantic import ValidationError as PydanticError

from frappe.exceptions import FrappeTypeError

CONFIG = ConfigDict(arbitrary_types_allowed=True)
# The web sends checkboxes as numbers.
SLACK: dict[type, Any] = {bool: int | bool | float}


@lru_cache(maxsize=2048)
def _adapter(annotation: Any) -> TypeAdapter:
	try:
		return TypeAdapter(annotation, config=CONFIG)
	except Exception as error:
		# a type that brings its own configuration (pydantic model, dataclass) refuses another
		if getattr(error, "code", "") != "type-adapter-config-unused":
			raise
		return TypeAdapter(annotation)


def _name(obj: Any) -> Any:
	kind = obj if inspect.isclass(obj) else type(obj)
	if kind.__module__ in ("typing", "types"):
		return obj
	return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _unresolved(annotation: Any) -> bool:
	parts = (annotation, *getattr(annotation, "__args__", ()))
	return any(isinstance(part, ForwardRef | str) for part in parts)


def _convert(name: str, annotation: Any, default: Any, value: Any) -> Any:
	expected = SLACK.get(annotation, annotation) if isinstance(annotation, type) else annotation
	if default is not inspect.Parameter.empty and type(default) is not expected:
		# what a parameter defaults to may be sent, too
		expected = Union[expected, type(default)]  # noqa: UP007 (the members are values)
	try:
		return _adapter(expected).validate_python(value)
	except (TypeError, PydanticError) as error:
		raise FrappeTypeError(
			f"Argument '{name}' should be of type '{_name(expected)}' but got '{_name(value)}' instead."
		) from error


def transform_parameter_types(func: Callable, args: tuple, kwargs: dict) -> tuple[list, dict]:
	"""Positional and keyword arguments, converted to what the annotations say."""
	annotations = func.__annotations__
	if not (args or kwargs) or not annotations:
		return list(args), kwargs
	parameters = inspect.signature(func).parameters
	positions = {name: i for i, name in enumerate(func.__code__.co_varnames[: func.__code__.co_argcount])}
	new_args, new_kwargs = list(args), dict(kwargs)
	for name, annotation in annotations.items():
		if name == "return" or name not in parameters or _unresolved(annotation):
			continue
		default = parameters[name].default
		if name in kwargs:
			new_kwargs[name] = _convert(name, annotation, default, kwargs[name])
		elif positions.get(name, len(args)) < len(args):
			new_args[positions[name]] = _convert(name, annotation, default, args[positions[name]])
	return new_args, new_kwargs


def validate_argument_types(func: Callable, apply_condition: Callable[[], bool] = lambda: True) -> Callable:
	"""Decorator: validate where `apply_condition` says so (while a request is answered, and in tests)."""

	@wraps(func)
	def wrapper(*args: Any, **kwargs: Any) -> Any:
		if apply_condition():
			args, kwargs = transform_parameter_types(func, args, kwargs)
		return func(*args, **kwargs)

	return wrapper
