"""`python -m benchless` is the command line, as `benchless` is."""

from benchless.cli import main

main()
