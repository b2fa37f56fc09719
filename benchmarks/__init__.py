"""Measurements that anyone can repeat: `make bench` puts Chronos beside its peers."""
