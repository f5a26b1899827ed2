"""HTTP on the wire."""
