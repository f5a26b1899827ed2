"""
Rights that a child gives up before it sees a script.

`apply` puts the steps in order; each kind of right has a module: `process` (user, parent's
death), `namespaces` (network), `rlimits` (memory, time, files).  `report` tells what holds
on this machine by trying it.
"""
