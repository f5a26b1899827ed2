"""Stand-ins for the engine's parts, held to the same promises."""
