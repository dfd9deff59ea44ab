"""Files that are made for a download: written piece by piece to memory, from a few MB on to disk, then sent.

So a large one costs little memory, and what goes wrong while it is made is still an error, not half a file. What may be too
large even for that leaves while it is made.
"""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from tempfile import SpooledTemporaryFile
from typing import IO

from werkzeug.wrappers import Response
from werkzeug.wsgi import FileWrapper

IN_MEMORY = 4 * 1024 * 1024
# What is downloaded runs nothing and loads nothing, also where a browser shows it.
HEADERS = {
	"Cache-Control": "private, no-store",
	"X-Content-Type-Options": "nosniff",
	"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
}


def attachment(content: bytes, file_name: str, mimetype: str) -> Response:
	"""A small file, whole."""
	return _with_headers(Response(content, mimetype=mimetype), file_name)


def written(write: Callable[[IO[bytes]], None], file_name: str, mimetype: str) -> Response:
	"""A file that `write` writes into what it is given."""
	file = SpooledTemporaryFile(max_size=IN_MEMORY)
	try:
		write(file)
		length = file.tell()
		file.seek(0)
	except BaseException:
		file.close()
		raise
	response = Response(FileWrapper(file), mimetype=mimetype, direct_passthrough=True)
	response.content_length = length
	response.call_on_close(file.close)
	return _with_headers(response, file_name)


def streamed(pieces: Iterator[bytes], file_name: str, mimetype: str) -> Response:
	"""A file of these pieces, each of which is made when the one before it is on its way. Frappe keeps what it has of the site until
	the answer has left. What goes wrong with the first two is an error; later, the connection ends before the file does."""
	begun = [*islice(pieces, 2)]
	return _with_headers(Response(chain(begun, pieces), mimetype=mimetype), file_name)


def _with_headers(response: Response, file_name: str) -> Response:
	response.headers.update(HEADERS)
	response.headers.add("Content-Disposition", "attachment", filename=file_name)
	return response
