"""Real child processes without the rest of the engine."""
