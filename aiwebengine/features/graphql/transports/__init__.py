"""How clients ask: HTTP, server-sent events, WebSockets."""
