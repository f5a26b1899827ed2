"""
Running scripts in child processes.

`invoker.py` is the one way in, and `registry.py` holds what serves.  The rooms know neither: `runs` holds one
invocation and its parts, `processes` the children that run them, `wire` what is said to those.
"""
