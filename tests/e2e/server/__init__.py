"""The server as it is operated: started, handed over, short of something, killed."""
