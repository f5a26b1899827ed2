"""
Requests that are sent after the commit: `fetch(url, { afterCommit: true })`.

    store.py                   their SQL
    held.py                    the host call, and the effect that it holds
    sender.py                  sends what is due, until it is accepted
    api.py, commands.py        what waits and what has failed, for administrators
"""
