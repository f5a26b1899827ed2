"""Tests of the feature `secrets`."""
