"""WebSockets: the handshake, the connection and its frames."""
