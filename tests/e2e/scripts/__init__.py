"""What people deploy: examples, packages, what the documents show."""
