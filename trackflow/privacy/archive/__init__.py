"""Clicks and sessions as files, before they are deleted by their age, and back from files (RET-1).

`layout` says what a file holds, `draft` makes one, `places` keep them, `keeping` decides what is deleted when, `restoring` reads back.
"""
