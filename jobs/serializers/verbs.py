"""What the verbs on a job take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError

from lib.faults import fault
from lib.fields import Instant, Line, Word
from lib.serializers import StrictSerializer

if TYPE_CHECKING:
    from datetime import datetime

MISSED = ["skip", "latest", "all"]


# As constants: an enum with the words of the misfire policy would be taken for that.
@extend_schema_field({"oneOf": [{"const": word} for word in MISSED], "default": "skip"})
class MissedField(Word):
    pass


class PauseSerializer(StrictSerializer):
    """Why the job rests, and until when."""

    reason = Line(max_length=200, allow_blank=True, default="", help_text="Shown with the job.")
    until = Instant(
        default=None, allow_null=True, help_text="The pause ends by itself then; never if null."
    )

    def validate_until(self, until: datetime | None) -> datetime | None:
        if until and until <= self.context["now"]:
            words = "A pause ends in the future."
            raise ValidationError(fault(words, "instant_past", "Or leave it out, and resume."))
        return until


class ResumeSerializer(StrictSerializer):
    """What becomes of the slots that passed meanwhile."""

    missed = MissedField(
        choices=MISSED,
        default="skip",
        help_text="skip forgets them, latest runs the newest of them, all runs them all.",
    )


class RestoreSerializer(StrictSerializer):
    """Takes nothing."""
