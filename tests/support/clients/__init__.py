"""Clients of the server."""
