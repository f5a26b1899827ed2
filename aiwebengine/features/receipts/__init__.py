"""What invocations cost, and how much of it a script may use over time."""
