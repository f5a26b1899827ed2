"""Logs, background work and service order."""
