"""An app whose functions do all that a job should not do: what workers must bear."""
