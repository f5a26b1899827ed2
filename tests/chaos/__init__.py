"""Tests that take minutes: `make chaos`."""
