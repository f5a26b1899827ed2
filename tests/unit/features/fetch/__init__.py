"""Tests of the feature `fetch`."""
