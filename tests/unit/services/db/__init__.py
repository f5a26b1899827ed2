"""Databases in files of a temporary folder."""
