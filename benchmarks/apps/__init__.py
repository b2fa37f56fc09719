"""What runs inside the environment of a contender. Nothing here may need more than that has."""
