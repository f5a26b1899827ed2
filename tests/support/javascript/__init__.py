"""JavaScript for tests, and what builds it."""
