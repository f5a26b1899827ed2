"""Makers of the tables in the prelude."""
