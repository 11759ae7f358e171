"""What no test has the time or the servers for, done by command: `make rehearse`. Each writes a dated log to results/."""
