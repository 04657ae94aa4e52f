"""The agent: what it is asked, how it answers, and what it checks."""
