"""Tests of one request to one server."""
