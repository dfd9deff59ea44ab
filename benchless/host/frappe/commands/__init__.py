"""What apps need to bring commands of their own: `commands = [...]` in their commands.py, as on a bench."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

import frappe


def pass_context(f: Callable) -> Callable:
	"""Give the command the sites and flags of the command line as its first argument."""

	@wraps(f)
	def _func(ctx: click.Context, *args: Any, **kwargs: Any) -> Any:
		try:
			return f(frappe._dict(ctx.obj), *args, **kwargs)
		except frappe.SiteNotSpecifiedError as error:
			click.secho(str(error), fg="yellow")
			sys.exit(1)
		except frappe.IncorrectSitePath:
			click.secho(f"Site {(ctx.obj.get('sites') or [''])[0]} does not exist!", fg="yellow")
			sys.exit(1)

	return click.pass_context(_func)


def get_site(context: frappe._dict, raise_err: bool = True) -> str | None:
	"""The site of the command line."""
	if context.sites:
		return context.sites[0]
	if raise_err:
		raise frappe.SiteNotSpecifiedError
	return None
