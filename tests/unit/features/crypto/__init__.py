"""Tests of the feature `crypto`."""
