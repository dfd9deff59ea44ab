"""The click and event stream: written by requests, read by drains, never away.

Written to the queue Redis (`writer`), else to a local spool file (`spool`), and read back in batches (`drain`) that are
stored in one transaction each. What cannot be stored goes to the Click Queue (`click_queue`) with its error.
"""
