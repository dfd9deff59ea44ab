"""The stand-alone server for short links and events (RED-10): the decision of `redirect.answer` without a web framework.

One event loop per process answers from memory; threads ask Frappe for what is not there and write what was recorded.
Nothing here decides where a visitor goes or what may be kept.
"""
