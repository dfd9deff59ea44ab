"""HOST-2: the command line has bench's form, apps bring commands of their own, and a real Frappe is refused."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from client import Client

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
	return {
		**os.environ,
		"BENCHLESS_SITES": str(tmp_path_factory.mktemp("sites")),
		"FRAPPE_SITE": "cli.localhost",
		"PYTHONPATH": os.path.dirname(__file__),
	}


def run(environment: dict[str, str], *arguments: str, fails: bool = False) -> str:
	result = subprocess.run(
		[sys.executable, "-m", "benchless", *arguments],
		env=environment,
		capture_output=True,
		text=True,
		cwd=ROOT,
	)
	assert bool(result.returncode) == fails, result.stdout + result.stderr
	return (result.stdout + result.stderr).strip()


class TestCommands:
	def test_a_site_from_start_to_end(self, environment: dict[str, str]) -> None:
		run(environment, "new-site", "cli.localhost", "--install-app", "crm")
		assert "already exists" in run(environment, "new-site", "cli.localhost", fails=True)
		run(environment, "--site", "cli.localhost", "install-app", "probe")
		assert run(environment, "list-apps").split() == ["frappe", "crm", "probe"]
		run(environment, "migrate")
		assert (
			run(environment, "execute", "probe.jobs.note", "--kwargs", '{"text": "from here"}')
			== '"from here"'
		)
		count = run(environment, "execute", "frappe.client.get_count", "--args", '["CRM Lead Source"]')
		assert int(count) > 0
		assert run(environment, "probe-hello", "world") == "hello world on cli.localhost"
		assert run(environment, "worker", "--burst") == "0 jobs done"
		run(environment, "set-admin-password", "another")
		run(environment, "uninstall-app", "probe", "--yes")
		assert run(environment, "list-apps").split() == ["frappe", "crm"]
		run(environment, "drop-site", "cli.localhost")
		assert "does not exist" in run(environment, "list-apps", fails=True)

	def test_a_real_frappe_is_refused(self, environment: dict[str, str], tmp_path: Path) -> None:
		Path(tmp_path, "frappe").mkdir()
		Path(tmp_path, "frappe", "__init__.py").write_text("")
		answer = run({**environment, "PYTHONPATH": str(tmp_path)}, "list-apps", fails=True)
		assert "cannot run beside it" in answer


class TestServe:
	def test_the_site_by_any_name_until_asked_to_end(self, environment: dict[str, str]) -> None:
		run(environment, "new-site", "served.localhost")
		arguments = ["--site", "served.localhost", "serve", "--port", str(free_port())]
		process = subprocess.Popen(
			[sys.executable, "-m", "benchless", *arguments],
			env=environment,
			stdout=subprocess.PIPE,
			text=True,
			cwd=ROOT,
		)
		try:
			assert f"served.localhost on http://localhost:{arguments[-1]} " in process.stdout.readline()
			client = Client(f"http://127.0.0.1:{arguments[-1]}")
			for host in ("served.localhost", "localhost", "go.example.com"):
				assert client.get("/api/method/ping", headers={"Host": host}).json == {"message": "pong"}
			assert "cannot be used" in run(environment, *arguments, fails=True)
		finally:
			process.terminate()
			assert process.wait(30) == 0


def free_port() -> int:
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]
