"""What scripts store: `kv`, `sharedStorage` and `personalStorage`."""
