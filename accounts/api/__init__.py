"""Sign up, sign in, stay signed in, sign out, and who one is."""

from __future__ import annotations
