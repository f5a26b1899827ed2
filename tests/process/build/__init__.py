"""The build worker."""
