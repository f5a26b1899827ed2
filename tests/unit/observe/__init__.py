"""Logs, background work, service order."""
