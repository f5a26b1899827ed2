"""Mail until something sends it: messages, and the folder to which they are written."""
