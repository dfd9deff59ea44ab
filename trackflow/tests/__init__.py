"""One suite for two hosts: the real bench and benchless."""
