"""Runs a Frappe app without a bench: one process, SQLite, queue, scheduler and cache included.

`activate()` makes the package `frappe` of this host importable, and refuses where another one already is.
For trying an app and for fast tests; production is a bench.
"""

import importlib.util
import sys
from pathlib import Path

__version__ = "1.0.0"

SOURCE = Path(__file__).resolve().parents[1]
HOST = SOURCE / "host"
PROJECT = SOURCE.parent


class RealFrappeError(RuntimeError):
	"""A package named frappe is importable that is not this host's."""


def activate() -> None:
	"""Put the host's packages (frappe, crm) and the project's own apps on the path. Idempotent."""
	if not (HOST / "frappe").is_dir():
		raise RuntimeError(
			f"{HOST} is missing: benchless runs from its source tree (pip install -e benchless)"
		)
	refuse_real_frappe()
	if str(HOST) not in sys.path:
		sys.path.insert(0, str(HOST))
	# an app that lies beside benchless needs no installation
	if str(PROJECT) not in sys.path:
		sys.path.append(str(PROJECT))


def refuse_real_frappe() -> None:
	"""Two packages of one name would mix: whichever is imported first wins, module by module."""
	spec = importlib.util.find_spec("frappe")
	if spec is None or not spec.origin or Path(spec.origin).resolve().is_relative_to(HOST):
		return
	raise RealFrappeError(
		f"A package named frappe is installed at {Path(spec.origin).parent}. benchless brings its own and cannot "
		"run beside it. On a bench use the bench's own commands; elsewhere run `pip uninstall frappe` "
		"(the one on PyPI is an empty placeholder) or use a separate virtual environment."
	)
