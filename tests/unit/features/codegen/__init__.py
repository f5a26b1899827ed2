"""Tests of the feature `codegen`."""
