"""Every question is proved by real runs, and every claim of its proof fails when a number changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from lab import questions
from lab.questions.base import Claim, Proof, Question
from tests.played import evidence_of
from tests.questions.mutants import Files, mutants, read_files

pytestmark = pytest.mark.namespaces

PROVED = [one for one in questions.every() if one.runs]


def named(question: Question) -> str:
    return question.id


@pytest.mark.parametrize("question", PROVED, ids=named)
def test_the_runs_prove_it(question: Question, proof: Proof) -> None:
    assert not [claim.words.en for claim in proof.claims if not claim.holds]
    assert proof.claims
    assert all(claim.cites for claim in proof.claims)
    assert set(proof.key) == {ask.id for ask in question.values}
    assert all(right.accepted and right.cites for right in proof.key.values())


@pytest.mark.parametrize("question", PROVED, ids=named)
def test_each_claim_fails_when_a_number_that_it_cites_is_another(
    question: Question, folders: Mapping[str, Path], proof: Proof
) -> None:
    evidence = {name: evidence_of(folder) for name, folder in folders.items()}
    for index, claim in enumerate(proof.claims):
        for run, files in _changed(claim, folders):
            other = {**evidence, run: files.evidence()}
            if _fails(questions.prove(question, questions.Runs(other)), proof, index):
                break
        else:
            pytest.fail(f"nothing makes this claim fail: {claim.words.en}")


def _changed(claim: Claim, folders: Mapping[str, Path]) -> Iterator[tuple[str, Files]]:
    """(run, its files with one number changed), for each piece that a claim cites."""
    for cite in claim.cites:
        for files in mutants(_files(folders[cite.run]), cite):
            yield cite.run, files


def _fails(mutated: Proof, proof: Proof, index: int) -> bool:
    """Whether this claim is no longer made, or no longer holds."""
    if len(mutated.claims) != len(proof.claims):
        return not mutated.holds
    return not mutated.claims[index].holds


@cache
def _files(folder: Path) -> Files:
    return read_files(folder)
