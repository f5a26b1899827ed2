"""`python -m aiwebengine.cli`."""

from aiwebengine.cli.start import main

main()
