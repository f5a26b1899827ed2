"""Tests of what commands have in common."""
