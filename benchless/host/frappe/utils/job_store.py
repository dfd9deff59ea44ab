"""The persistent queue of one site: an SQLite file beside the site's configuration.

A file of its own, so that a job is there as soon as it is queued, whatever becomes of the site's transaction:
that is how the Redis queue of a bench behaves. At least once: a claim is a lease, and what a dead worker held
comes back when the lease runs out. Times are seconds since the epoch.
"""

import pickle
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

LEASE_SECONDS = 20
MAX_ATTEMPTS = 3
BUSY_SECONDS = 15
FINISHED_KEPT_SECONDS = 600
FAILED_KEPT_SECONDS = 7 * 24 * 3600

SCHEMA = """
create table if not exists jobs (
	id integer primary key autoincrement,
	job_id text not null unique,
	queue text not null,
	status text not null,
	position real not null default 0,
	job_name text not null default '',
	payload blob not null,
	timeout integer not null,
	attempts integer not null default 0,
	lease_until real,
	worker text,
	enqueued_at real not null,
	started_at real,
	ended_at real,
	error text
);
create index if not exists jobs_waiting on jobs (status, queue, position);
"""


class JobStatus(StrEnum):
	"""The names are those of RQ, the queue of a bench."""

	QUEUED = "queued"
	FINISHED = "finished"
	FAILED = "failed"
	STARTED = "started"
	DEFERRED = "deferred"
	SCHEDULED = "scheduled"
	STOPPED = "stopped"
	CANCELED = "canceled"


_opening = threading.Lock()
WAITING = (JobStatus.QUEUED, JobStatus.STARTED)


@dataclass
class Job:
	"""What `enqueue` returns and `get_job` finds; the part of an RQ job that apps look at."""

	id: str
	queue: str
	kwargs: dict[str, Any]
	timeout: int
	store: "JobStore | None" = field(default=None, repr=False)
	status: JobStatus = JobStatus.QUEUED
	attempts: int = 0
	exc_info: str | None = None
	result: Any = None
	on_success: Any = field(default=None, repr=False)
	on_failure: Any = field(default=None, repr=False)

	@property
	def origin(self) -> str:
		return self.queue

	@property
	def func_name(self) -> str:
		return self.kwargs["job_name"]

	def get_status(self, refresh: bool = True) -> JobStatus | None:
		if refresh and self.store:
			found = self.store.get(self.id)
			self.status = found.status if found else None
		return self.status

	def delete(self) -> None:
		if self.store:
			self.store.delete(self.id)


class JobStore:
	"""All reads and writes of the queue; safe to use from several threads and processes of one machine."""

	def __init__(self, path: str | Path):
		self.path = str(path)
		with _opening:
			self._prepare()

	def _prepare(self) -> None:
		"""Make the file what it has to be; another process may be doing the same at this moment."""
		give_up_at = time.monotonic() + BUSY_SECONDS
		while True:
			try:
				with self._connection() as connection:
					# changing the mode ignores the busy timeout, so only who must tries
					if connection.execute("pragma journal_mode").fetchone()[0] != "wal":
						connection.execute("pragma journal_mode=wal")
					connection.executescript(SCHEMA)
				return
			except sqlite3.OperationalError as error:
				if "locked" not in str(error) or time.monotonic() > give_up_at:
					raise
				time.sleep(0.05)

	@contextmanager
	def _connection(self) -> Iterator[sqlite3.Connection]:
		connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
		connection.row_factory = sqlite3.Row
		connection.execute("pragma synchronous=normal")
		try:
			yield connection
		finally:
			connection.close()

	@contextmanager
	def _transaction(self) -> Iterator[sqlite3.Connection]:
		with self._connection() as connection:
			connection.execute("begin immediate")
			try:
				yield connection
			except BaseException:
				connection.execute("rollback")
				raise
			connection.execute("commit")

	def add(self, job: Job, at_front: bool = False) -> Job:
		"""Queue a job; one of the same id that is not running is replaced."""
		payload = pickle.dumps((job.kwargs, job.on_success, job.on_failure))
		with self._transaction() as connection:
			position = self._position(connection, job.queue, at_front)
			connection.execute(
				"delete from jobs where job_id = ? and status != ?", (job.id, JobStatus.STARTED)
			)
			connection.execute(
				"insert into jobs (job_id, queue, status, position, job_name, payload, timeout, enqueued_at) "
				"values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (job_id) do nothing",
				(
					job.id,
					job.queue,
					JobStatus.QUEUED,
					position,
					job.func_name,
					payload,
					job.timeout,
					time.time(),
				),
			)
		job.store = self
		return job

	@staticmethod
	def _position(connection: sqlite3.Connection, queue: str, at_front: bool) -> float:
		low, high = connection.execute(
			"select coalesce(min(position), 0), coalesce(max(position), 0) from jobs where queue = ?",
			(queue,),
		).fetchone()
		return low - 1 if at_front else high + 1

	def claim(self, queues: Sequence[str], worker: str) -> Job | None:
		"""Take the next job of the queues, in their order; also one whose worker stopped renewing its lease."""
		now = time.time()
		with self._transaction() as connection:
			self._give_up_on_lost_jobs(connection, now)
			for queue in queues:
				row = connection.execute(
					"select * from jobs where queue = ? and (status = ? or (status = ? and lease_until < ?)) "
					"order by position, id limit 1",
					(queue, JobStatus.QUEUED, JobStatus.STARTED, now),
				).fetchone()
				if row:
					connection.execute(
						"update jobs set status = ?, attempts = attempts + 1, lease_until = ?, worker = ?, "
						"started_at = ? where id = ?",
						(JobStatus.STARTED, now + LEASE_SECONDS, worker, now, row["id"]),
					)
					return self._job(row, JobStatus.STARTED, row["attempts"] + 1)
		return None

	@staticmethod
	def _give_up_on_lost_jobs(connection: sqlite3.Connection, now: float) -> None:
		connection.execute(
			"update jobs set status = ?, ended_at = ?, error = ? "
			"where status = ? and lease_until < ? and attempts >= ?",
			(
				JobStatus.FAILED,
				now,
				"The worker stopped while running this job",
				JobStatus.STARTED,
				now,
				MAX_ATTEMPTS,
			),
		)

	def renew(self, job_id: str, worker: str) -> None:
		with self._connection() as connection:
			connection.execute(
				"update jobs set lease_until = ? where job_id = ? and worker = ? and status = ?",
				(time.time() + LEASE_SECONDS, job_id, worker, JobStatus.STARTED),
			)

	def finish(self, job_id: str, error: str | None = None) -> None:
		"""Record the end of a job, and forget those whose time to be looked at is over."""
		status, now = (JobStatus.FAILED if error else JobStatus.FINISHED), time.time()
		with self._transaction() as connection:
			connection.execute(
				"update jobs set status = ?, ended_at = ?, error = ?, lease_until = null where job_id = ?",
				(status, now, error, job_id),
			)
			connection.execute(
				"delete from jobs where (status = ? and ended_at < ?) or (status = ? and ended_at < ?)",
				(
					JobStatus.FINISHED,
					now - FINISHED_KEPT_SECONDS,
					JobStatus.FAILED,
					now - FAILED_KEPT_SECONDS,
				),
			)

	def get(self, job_id: str) -> Job | None:
		with self._connection() as connection:
			row = connection.execute("select * from jobs where job_id = ?", (job_id,)).fetchone()
		return self._job(row) if row else None

	def find(self, status: JobStatus | None = None) -> list[Job]:
		with self._connection() as connection:
			rows = connection.execute(
				"select * from jobs where ? is null or status = ? order by position, id", (status, status)
			).fetchall()
		return [self._job(row) for row in rows]

	def delete(self, job_id: str) -> None:
		with self._connection() as connection:
			connection.execute("delete from jobs where job_id = ?", (job_id,))

	def clear(self) -> None:
		with self._connection() as connection:
			connection.execute("delete from jobs")

	def _job(self, row: sqlite3.Row, status: str | None = None, attempts: int | None = None) -> Job:
		kwargs, on_success, on_failure = pickle.loads(row["payload"])
		return Job(
			id=row["job_id"],
			queue=row["queue"],
			kwargs=kwargs,
			timeout=row["timeout"],
			store=self,
			status=JobStatus(status or row["status"]),
			attempts=row["attempts"] if attempts is None else attempts,
			exc_info=row["error"],
			on_success=on_success,
			on_failure=on_failure,
		)
