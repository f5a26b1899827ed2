"""aiwebengine: a server to which people and AI agents deploy JavaScript."""
