"""The reactor: how it waits, and how long work lets others go on."""
