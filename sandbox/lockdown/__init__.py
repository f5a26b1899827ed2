"""
Rights that a child drops before it sees a script.

`apply` puts the steps in order; each kind of right has a module: `process` (user, parent's
death), `namespaces` (network), `rlimits` (memory, time, files). `report` finds out by trying which protections work on
this machine.
"""
