"""What commands have in common: finding a server, asking it, printing, and how they end."""
