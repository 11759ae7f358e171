"""`python -m deploy` is `fittracker`, also where the console script is not installed."""

from deploy.cli import run

if __name__ == "__main__":
    run()
