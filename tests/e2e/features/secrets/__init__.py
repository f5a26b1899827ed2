"""Tests of secrets, through the whole engine."""
