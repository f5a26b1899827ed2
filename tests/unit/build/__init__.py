"""Unit tests of the build floor."""
