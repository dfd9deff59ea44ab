"""The demo: TrackFlow's whole story told with real requests against a running site, on data that calls itself demo."""
