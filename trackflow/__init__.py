"""TrackFlow: which marketing brought which lead and which deal, and what it cost."""

__version__ = "0.1.0"
