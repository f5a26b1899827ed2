"""One GraphQL schema of all scripts, with subscriptions."""
