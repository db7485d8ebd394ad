"""`python -m koapy` is the `koapy` command."""

from koapy.cli import main

if __name__ == "__main__":
    main()
