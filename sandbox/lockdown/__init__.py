"""Rights a child gives up before it sees a script."""
