"""A mail as HTML and as text. Pure.

Whatever stands in it is escaped here, so that a text that a visitor made up is a text. The HTML is plain: headings, sentences,
lists, and tables whose columns have heads.
"""

from dataclasses import dataclass
from html import escape
from typing import NamedTuple

WIDTH = 40
CUT = "…"
_CELL = "padding: 4px 12px 4px 0; border-bottom: 1px solid #ddd;"
# Line breaks of all kinds and what else is no character to be seen become blanks.
_UNSEEN = {code: " " for code in (*range(32), 127, *range(128, 160), 0x2028, 0x2029, *range(0x202A, 0x202F))}


class Link(NamedTuple):
	"""A place on the site, by a name of ours."""

	text: str
	url: str


@dataclass(frozen=True, slots=True)
class Section:
	"""A part of the mail: sentences, a list, a table whose first column names the line, links."""

	title: str
	sentences: tuple[str, ...] = ()
	points: tuple[str, ...] = ()
	head: tuple[str, ...] = ()
	rows: tuple[tuple[str, ...], ...] = ()
	links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Mail:
	"""A subject and what stands below it."""

	subject: str
	sections: tuple[Section, ...]


def html(mail: Mail) -> str:
	"""The mail's body as HTML."""
	return "\n".join(_html(section) for section in mail.sections)


def text(mail: Mail) -> str:
	"""The mail's body as text."""
	return "\n\n".join("\n".join(_lines(section)) for section in mail.sections) + "\n"


def seen(value: str) -> str:
	"""A text in one line, of characters that can be seen."""
	return " ".join(value.translate(_UNSEEN).split())


def _html(section: Section) -> str:
	parts = [f"<h2>{_inert(section.title)}</h2>"]
	parts += [f"<p>{_inert(one)}</p>" for one in section.sentences]
	if section.points:
		parts.append("<ul>" + "".join(f"<li>{_inert(one)}</li>" for one in section.points) + "</ul>")
	if section.rows:
		parts.append(_table(section))
	if section.links:
		items = (f'<li><a href="{escape(one.url)}">{_inert(one.text)}</a></li>' for one in section.links)
		parts.append("<ul>" + "".join(items) + "</ul>")
	return "\n".join(parts)


def _table(section: Section) -> str:
	head = "".join(
		f'<th scope="col" style="{_CELL} text-align: {_side(place)}">{_inert(one)}</th>'
		for place, one in enumerate(section.head)
	)
	body = "".join(f"<tr>{_row(row)}</tr>" for row in section.rows)
	return f'<table style="border-collapse: collapse"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _row(row: tuple[str, ...]) -> str:
	name, *figures = row
	cells = [f'<th scope="row" style="{_CELL} text-align: left; font-weight: normal">{_inert(name)}</th>']
	cells += [f'<td style="{_CELL} text-align: right">{_inert(one)}</td>' for one in figures]
	return "".join(cells)


def _side(place: int) -> str:
	return "right" if place else "left"


def _inert(value: str) -> str:
	return escape(seen(value))


def _lines(section: Section) -> list[str]:
	title = seen(section.title)
	found = [title, "=" * len(title)]
	found += map(seen, section.sentences)
	found += [f"- {seen(one)}" for one in section.points]
	if section.rows:
		found += _columns((section.head, *section.rows))
	found += [f"- {seen(one.text)}: {one.url}" for one in section.links]
	return found


def _columns(rows: tuple[tuple[str, ...], ...]) -> list[str]:
	cells = [[_cut(seen(cell)) for cell in row] for row in rows]
	widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
	return [
		"  ".join(
			cell.rjust(width) if place else cell.ljust(width)
			for place, (cell, width) in enumerate(zip(row, widths, strict=True))
		).rstrip()
		for row in cells
	]


def _cut(cell: str) -> str:
	return cell if len(cell) <= WIDTH else cell[: WIDTH - 1] + CUT
