"""`benchless start` and `stop`: the server as a process of its own, with the demo website beside it.

One server per sites folder. It ends by itself when its folder is deleted, so that a thrown-away checkout leaves nothing
running.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import click

from benchless import sites

PATIENCE_SECONDS = 60


def start(port: int) -> bool:
	"""Start the server unless it is running; whether it had to be started. Raises ClickException if it does not come up."""
	if is_running():
		return False
	with log_file().open("w") as log:
		process = subprocess.Popen(
			[sys.executable, "-m", "benchless", "serve", "--port", str(port), "--website"],
			stdin=subprocess.DEVNULL,
			stdout=log,
			stderr=subprocess.STDOUT,
			start_new_session=True,
		)
	pid_file().write_text(str(process.pid))
	deadline = time.monotonic() + PATIENCE_SECONDS
	# The demo website comes last, once its links are made: when it answers all is there.
	while not answers(shop_url(port)):
		if process.poll() is not None or time.monotonic() > deadline:
			stop()
			raise click.ClickException(f"The server did not come up:\n{log_file().read_text()[-2000:]}")
		time.sleep(0.1)
	return True


def stop() -> bool:
	"""Stop the server and wait for its end; whether one was running."""
	pid = read_pid()
	pid_file().unlink(missing_ok=True)
	if not pid or not is_alive(pid):
		return False
	os.kill(pid, signal.SIGTERM)
	deadline = time.monotonic() + PATIENCE_SECONDS
	while is_alive(pid) and time.monotonic() < deadline:
		time.sleep(0.1)
	return True


@contextmanager
def running(port: int) -> Iterator[None]:
	"""A server for a while: the one that is running, else one that is stopped afterwards."""
	started = start(port)
	try:
		yield
	finally:
		if started:
			stop()


def is_running() -> bool:
	pid = read_pid()
	return bool(pid and is_alive(pid))


def is_alive(pid: int) -> bool:
	"""Whether the process lives and is ours: a number may have been given to somebody else since."""
	try:
		# A child of this very process that ended must be asked for its status before it is gone.
		os.waitpid(pid, os.WNOHANG)
	except ChildProcessError:
		pass
	try:
		os.kill(pid, 0)
		command = Path(f"/proc/{pid}/cmdline")
		return not command.exists() or b"benchless" in command.read_bytes()
	except OSError:
		return False


def answers(url: str) -> bool:
	try:
		with urlopen(url, timeout=2) as response:
			return response.status == 200
	except (URLError, OSError):
		return False


def read_pid() -> int | None:
	text = pid_file().read_text().strip() if pid_file().exists() else ""
	return int(text) if text.isdigit() else None


def pid_file() -> Path:
	return Path(sites.get_sites_path(), "server.pid")


def log_file() -> Path:
	return Path(sites.get_sites_path(), "server.log")


def shop_url(port: int) -> str:
	"""Where the demo website of a site on `port` is: another host than the site's, so that their cookies do not mix."""
	return f"http://127.0.0.1:{port + 1}"


def welcome(site: str, port: int) -> str:
	"""What a newcomer is told."""
	url = f"http://localhost:{port}"
	return f"""
TrackFlow is up, on demo data. Everything listens on this machine only.

  The app           {url}/trackflow      log in as Administrator / {sites.ADMIN_PASSWORD}
  A short link      {url}/r/demo-mail      leads to the demo website, as a newsletter's link would
  A poster's code   {url}/r/demo-poster?qr=1      counts as a scan
  The demo website  {shop_url(port)}      agree to its question, look around, fill in the contact form:
                    the lead appears in the CRM with the campaign that brought it

To look at afterwards (log in first):
  {url}/api/resource/CRM Lead?fields=["name","first_name","trackflow_source","trackflow_campaign"]
  {url}/api/resource/Touch Point?fields=["visitor_id","occurred_at","channel","source"]
  {url}/api/resource/Attribution Link?fields=["attribution_model","channel","weight","credited_value"]

`make demo` tells the whole story here as tables, `make down` stops the server."""
