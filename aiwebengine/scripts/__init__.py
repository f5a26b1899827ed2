"""Versions of scripts and their deployment."""
