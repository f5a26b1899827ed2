"""Executing operations."""
