"""Has past days worked out again, so that their rows keep conversion value by the currencies that it was in. Days that can no longer be
worked out stay as they are. Doing it again changes nothing."""

from trackflow.rollups import marks


def execute() -> None:
	marks.mark_all()
