"""What scripts ask of their tables: requests of the builder, checked against the schema and made SQL."""
