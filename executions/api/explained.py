"""Explanations as the API shows them: answers to questions, each a code, a sentence and a link."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from executions import explain
from executions.api.serializers import JobSummarySerializer, SaidSerializer
from executions.models import Status


class TriedSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    went = SaidSerializer()
    then = SaidSerializer(allow_null=True, help_text="Why it was tried again, or not.")


class StoryMomentSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    code = serializers.CharField(source="said.code")
    sentence = serializers.CharField(source="said.sentence")
    link = serializers.CharField(source="said.link")


class ExplanationSerializer(serializers.Serializer[explain.Explanation]):
    """Why an execution exists, when it ran, how it went, and what comes next."""

    execution = serializers.UUIDField(source="execution.pk")
    job = JobSummarySerializer(source="execution.job")
    status = serializers.ChoiceField(source="execution.status", choices=Status.choices)
    as_of = serializers.DateTimeField()
    summary = serializers.CharField()
    why_it_exists = SaidSerializer()
    was_it_on_time = SaidSerializer()
    how_did_it_go = TriedSerializer(many=True, help_text="The newest 100 attempts, in order.")
    did_it_run_twice = SaidSerializer()
    what_happens_next = SaidSerializer()
    what_may_be_done = serializers.SerializerMethodField(
        help_text="What its state allows and you may do."
    )
    story = StoryMomentSerializer(many=True)

    @extend_schema_field(SaidSerializer(many=True))
    def get_what_may_be_done(self, explanation: explain.Explanation) -> list[dict[str, Any]]:
        may = explanation.what_may_be_done if self.context["may_operate"] else []
        return [asdict(said) for said in may]


class NearSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    execution = serializers.UUIDField(source="execution.pk", allow_null=True, default=None)
    status = serializers.ChoiceField(
        source="execution.status", choices=Status.choices, allow_null=True, default=None
    )


class StretchSerializer(serializers.Serializer[Any]):
    first = serializers.DateTimeField()
    last = serializers.DateTimeField()
    count = serializers.IntegerField()


class InstantSerializer(serializers.Serializer[explain.Answer]):
    """What a job did at an instant, or will do."""

    job = JobSummarySerializer()
    at = serializers.DateTimeField()
    as_of = serializers.DateTimeField()
    summary = serializers.CharField()
    what_happened = SaidSerializer()
    is_slot = serializers.BooleanField(help_text="The schedule of then names this instant.")
    schedule = serializers.CharField(source="words", help_text="The schedule of then, in words.")
    version = serializers.IntegerField(source="version.number")
    skipped = StretchSerializer(allow_null=True)
    explanation = ExplanationSerializer(allow_null=True, help_text="Of the slot's execution.")
    what_could_stop_it = SaidSerializer(many=True, help_text="Of a slot that is to come.")
    before = NearSerializer(allow_null=True, help_text="The slot before, or the start by hand.")
    after = NearSerializer(allow_null=True, help_text="The slot after, or the start by hand.")
