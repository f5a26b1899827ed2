"""What the server and its children say to each other: read, bounded and checked, for everything on it may be forged."""
