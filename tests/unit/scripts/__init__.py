"""Versions, packages, deployments."""
