"""WebSockets of scripts: `registerWebSocket` and the messages to them."""
