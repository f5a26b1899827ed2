"""
One request to one server.

    targets.py     its address, read strictly
    client.py      sends it
    connection.py  a connection, for one request after the other; idle.py keeps those that wait for the next one
    answers.py     reads answers
    endpoints.py   how connections are made: only to addresses that addresses.py allows, perhaps through a proxy
    tls.py         which certificates are accepted
    bodies.py      bodies both ways, with back-pressure
    decoding.py    content codings of answers
    failures.py    what went wrong, in the terms of scripts
"""
