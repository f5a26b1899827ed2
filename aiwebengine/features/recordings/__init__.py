"""Invocations that are recorded and replayed."""
