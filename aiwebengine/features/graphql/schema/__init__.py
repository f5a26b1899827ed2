"""The schema: its parts, its assembly, and how its fields are resolved."""
