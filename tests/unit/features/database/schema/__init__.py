"""Tests of what tables are."""
