"""What the tests of one process share: running processes, lowered files, empty databases."""
