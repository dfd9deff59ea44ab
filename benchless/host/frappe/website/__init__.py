"""The website half: which page answers which path, and how it is rendered."""
