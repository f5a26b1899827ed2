"""The parts of processes."""
