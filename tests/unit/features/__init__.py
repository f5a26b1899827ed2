"""Tests of what the engine offers, one folder for each feature."""
