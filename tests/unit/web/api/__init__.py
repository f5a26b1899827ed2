"""The management API over an in-memory connection."""
