"""
What clients reach: the listening socket, and what a request meets on its way to a handler.

The rooms hold one protocol each: `http`, `websocket`, `events` and the management `api`.
"""
