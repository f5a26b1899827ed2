"""Unit tests of the runtime floor."""
