"""The parts of a run: its host calls, its answer, its turn to be repeated, its costs."""
