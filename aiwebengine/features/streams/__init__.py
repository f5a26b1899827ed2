"""Server-sent events: `registerWebStream` and the messages to them."""
