"""What the verbs on a job take."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field

from lib.fields import Line, Word
from lib.serializers import StrictSerializer

MISSED = ["skip", "latest", "all"]


# As constants: an enum with the words of the misfire policy would be taken for that.
@extend_schema_field({"oneOf": [{"const": word} for word in MISSED], "default": "skip"})
class MissedField(Word):
    pass


class PauseSerializer(StrictSerializer):
    """Why the job rests."""

    reason = Line(max_length=200, allow_blank=True, default="", help_text="Shown with the job.")


class ResumeSerializer(StrictSerializer):
    """What becomes of the slots that passed meanwhile."""

    missed = MissedField(
        choices=MISSED,
        default="skip",
        help_text="skip forgets them; the others leave them to the misfire policy.",
    )


class RestoreSerializer(StrictSerializer):
    """Takes nothing."""
