"""Tests of the feature `secrets`: its sources."""
