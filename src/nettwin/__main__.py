"""`python -m nettwin`: the command line."""

from nettwin.interfaces.cli import main

if __name__ == "__main__":
    main()
