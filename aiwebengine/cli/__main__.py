"""`python -m aiwebengine.cli`."""

from aiwebengine.cli.main import main

main()
