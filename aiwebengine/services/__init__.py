"""What the engine itself stands on: threads, databases."""
