"""What scripts register while they load: kinds, one load's book, and the calls that reach it."""
