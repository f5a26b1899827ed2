"""Subscriptions: their topics and the streams of their results."""
