"""The runtime over real children."""
