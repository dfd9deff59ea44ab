"""Clicks and visits of past days, summed up: Daily Click Rollup."""
