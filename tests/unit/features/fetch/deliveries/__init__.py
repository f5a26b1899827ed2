"""Tests of requests that are sent after the commit."""
