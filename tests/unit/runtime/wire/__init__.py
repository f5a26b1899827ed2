"""What the server and its children say to each other."""
