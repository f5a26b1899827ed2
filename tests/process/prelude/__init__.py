"""What scripts compute in the sandbox, mostly held to node."""
