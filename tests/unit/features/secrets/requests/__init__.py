"""Tests of the feature `secrets`: requests."""
