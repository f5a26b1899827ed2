"""A Redis server for tests, and stores on it."""
