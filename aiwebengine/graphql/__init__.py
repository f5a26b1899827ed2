"""
GraphQL: one schema of all scripts, executed here, resolved in their sandboxes.

A request, in the order of the files:

    site.py                         which part answers a path
    http.py, sse.py, websocket.py   how an operation comes, and how its results leave
    documents.py                    text -> parsed, checked, measured (`measure.py`)
    execute.py                      a document -> results; `prefetch.py` asks for root fields ahead
    results.py                      what it came to, as it is sent; `underway.py` ends it once
    operation.py                    one operation that is being executed, and who asked
    resolvers.py                    a field of the schema -> a call of its script
    batches.py                      calls of one moment and one script -> one invocation
    feeds.py                        subscriptions: events (`sources.py`, `topics.py`), executed for each selection
    gate.py                         a few resolvers of a script at a time, for subscriptions that begin
    schema.py                       what all of it works with, made anew with every deployment
    loop.py                         graphql-core awaits with asyncio; this is its loop, on the reactor
"""
