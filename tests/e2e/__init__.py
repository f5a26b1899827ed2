"""The whole engine on a real socket, through scripts."""
