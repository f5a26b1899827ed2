"""Against real servers of others: Redis or Valkey."""
