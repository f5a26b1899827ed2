"""State that several servers may share: Redis or Valkey, or the memory of the only server."""
