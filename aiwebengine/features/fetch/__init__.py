"""
`fetch`: requests of scripts to other servers.

    feature.py       what the feature is
    declarations.py  what scripts see, and the capability `fetch:HOST`
    calls.py         the host calls: begin a request, read and write bodies, cancel
    requests.py      what a script asks for, checked
    exchange.py      one request of a script and its answer: redirects, retries
    redirects.py     what a redirect makes of a request
    integrity.py     which body is expected
    peers.py         what is known of the servers that scripts call
    network/         one request to one server
    deliveries/      requests that are sent after the commit
    tables.py        where those wait; migrations.py how their table came to be
"""
