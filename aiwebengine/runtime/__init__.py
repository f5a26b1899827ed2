"""Running scripts in child processes."""
