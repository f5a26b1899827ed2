"""
`fetch`: requests of scripts to other servers.

    feature.py       what the feature is
    declarations.py  what scripts see, and the capability `fetch:HOST`
    calls.py         the host calls: begin a request, read and write bodies, cancel
    exchange.py      one request of a script and its answer
    redirects.py     what a redirect makes of a request
    client.py        one request to one server, over Twisted's Agent
    endpoints.py     how connections are made: only to addresses that addresses.py allows, perhaps through a proxy
    tls.py           which certificates are accepted
    bodies.py        bodies both ways, with back-pressure
    decoding.py      content codings of answers
    failures.py      what went wrong, in the terms of scripts
    hosts.py         the hosts of grants
"""
