"""The closed world in which scripts run: standard library and the Duktape binding only."""
