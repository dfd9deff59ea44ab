"""The benchmarks of the repository, on a site of a bench."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from frappe.commands import get_site, pass_context

from trackflow.commands.shell import trackflow


@trackflow.command("benchmark", context_settings={"ignore_unknown_options": True})
@click.argument(
	"name",
	type=click.Choice(
		[
			"attribution",
			"collector",
			"drain",
			"flood",
			"import_costs",
			"import_links",
			"redirect",
			"retention",
			"sync",
			"soak",
		]
	),
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@pass_context
def benchmark(context: Any, name: str, options: tuple[str, ...]) -> None:
	"""Measure NAME on this site, which must be one for tests; OPTIONS are the benchmark's own (see benchmarks/README.md)."""
	root = Path(__file__).parents[2]
	if not (root / "benchmarks").is_dir():
		raise click.ClickException(
			"The benchmarks are in TrackFlow's repository; this is an installed package."
		)
	command = [sys.executable, "-m", f"benchmarks.{name}", "--site", get_site(context), *options]
	environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
	raise SystemExit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603 what an admin typed, as arguments
