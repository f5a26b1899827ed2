"""
One request to one server.

    targets.py     its address, read strictly
    client.py      sends it, over Twisted's Agent
    endpoints.py   how connections are made: only to addresses that addresses.py allows, perhaps through a proxy
    tls.py         which certificates are accepted
    bodies.py      bodies both ways, with back-pressure
    decoding.py    content codings of answers
    failures.py    what went wrong, in the terms of scripts
"""
