"""A small app with DocTypes of its own, for the tests of the data half."""

__version__ = "0.1.0"
