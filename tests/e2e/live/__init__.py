"""Connections that stay: streams, WebSockets, subscriptions."""
