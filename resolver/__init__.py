"""Packages: what to choose, and why."""
