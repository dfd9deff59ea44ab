"""An app that exists to be asked: every hook and shape of method that the web half promises to serve."""

__version__ = "0.0.1"
