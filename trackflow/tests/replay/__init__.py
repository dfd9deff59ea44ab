"""Replays one list of requests against two hosts and says where their answers differ (HOST-2, HOST-4).

`python -m trackflow.tests.replay http://one.localhost:8000 http://other.localhost:8100` needs nothing but Python: it
prepares its own data over the REST API and removes it afterwards. Run it on sites that hold no TrackFlow data.
"""
