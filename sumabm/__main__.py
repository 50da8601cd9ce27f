"""``python -m sumabm`` is the command line."""

from sumabm.cli import main

if __name__ == "__main__":
    main()
