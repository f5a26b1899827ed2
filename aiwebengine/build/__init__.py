"""Lowering what authors write to what Duktape runs."""
