"""`python -m aiwebengine.cli`."""

from aiwebengine.cli.early import main

main()
