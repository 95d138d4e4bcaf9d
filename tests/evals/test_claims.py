"""The altered claims: that the set is what its card says, and how its rates are counted."""

from collections import Counter

import pytest

from evals import page
from evals.claims import KINDS, cited, lines, rates, read_claims
from rag.pipeline import Pipeline

CLAIMS = read_claims()


def test_the_set_is_as_large_as_its_card_says() -> None:
    by = Counter((claim.supported, claim.language) for claim in CLAIMS)
    assert by[False, "ko"] + by[False, "en"] >= 320 and by[True, "ko"] + by[True, "en"] >= 320
    assert 0.4 < by[False, "ko"] / (by[False, "ko"] + by[False, "en"]) < 0.6
    assert {claim.kind for claim in CLAIMS if not claim.supported} == set(KINDS)
    for split in ("dev", "test"):
        assert {claim.kind for claim in CLAIMS if claim.split == split} == {"true", *KINDS}


def test_every_altered_claim_comes_from_a_true_one_and_differs() -> None:
    known = {claim.id: claim for claim in CLAIMS}
    assert len(known) == len(CLAIMS)
    for claim in CLAIMS:
        assert (claim.kind == "true") == claim.supported == (not claim.altered_from)
        if claim.altered_from:
            origin = known[claim.altered_from]
            assert origin.supported and origin.split == claim.split and origin.document == claim.document
            assert (origin.claim, origin.heading) != (claim.claim, claim.heading)


def test_the_split_is_by_document() -> None:
    topics = {split: {claim.document[:-3] for claim in CLAIMS if claim.split == split} for split in ("dev", "test")}
    assert not topics["dev"] & topics["test"]


def test_every_section_is_in_the_index(pipeline: Pipeline) -> None:
    for claim in CLAIMS:
        assert cited(claim, pipeline.index), claim.id


def test_rates_count_altered_and_true_claims_apart() -> None:
    line = {"language": "ko", "document": "a-en", "kind": "number", "supported": False}
    verdicts = [
        {**line, "flagged": True},
        {**line, "flagged": False},
        {**line, "kind": "true", "supported": True, "flagged": False},
    ]
    found = {row["group"]: row for row in rates(verdicts)}
    assert found["all"]["detection"]["value"] == 0.5 and found["all"]["false_alarms"]["value"] == 0
    assert found["across languages"]["detection"]["n"] == 2 and "within a language" not in found
    assert found["number"]["false_alarms"] is None
    assert "<th>number</th><td>0.50 [0.00, 1.00] of 2</td>" in page.checked({"claims": rates(verdicts)})
    assert page.checked({}) == ""
    assert ["number", "0.50 [0.00, 1.00] of 2", ""] in lines(rates(verdicts))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told(kind: str) -> None:
    assert sum(claim.kind == kind for claim in CLAIMS) >= 15
