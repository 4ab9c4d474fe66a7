"""Exercises on disk: a folder with runs, questions and a form, handed out, filled in, graded.

    EXERCISE/
      exercise.json   for whom, which questions, the digest of each run
      QUESTIONS.md    what is asked, and how to look
      answers.yaml    the form: the one file that a learner changes
      runs/RUN/       the run folders

Answers are bound to the runs by their digest: those about other runs are refused, and so is a run
that was changed. Whoever hands out exercises keeps the originals.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from lab import questions
from lab.analyze import load_run
from lab.capture.folder import read_octets
from lab.errors import AnswersUnreadable, ExerciseDamaged, LabError, QuestionUnknown
from lab.evidence.run import Evidence
from lab.proving import why_not
from lab.questions.base import Question
from lab.questions.runs import Runs
from lab.quiz.form import Handed, blank_form, read_form
from lab.quiz.grading import Grade, grade
from lab.report.account import judge
from lab.report.forms import draw_questions
from lab.text import Language, Text, same

FORMAT = 1
EVIDENCE = ("*.pcapng", "*.jsonl", "run.json")  # what the digest of a run covers

NO_FILE = Text("{file} is missing", "缺少 {file}")
NOT_JSON = Text("exercise.json is damaged ({detail})", "exercise.json 已损坏（{detail}）")
CHANGED = Text("the run {run} is not the one that was handed out", "运行 {run} 与发下的不一致")
FOREIGN = Text(
    "answers.yaml belongs to another exercise, or exercise.json was changed",
    "answers.yaml 属于另一份练习，或者 exercise.json 被改动过",
)
UNBOUND = Text("answers.yaml lacks its line 'exercise: …'", "answers.yaml 缺少 'exercise: …' 一行")
NOT_ASKED = Text("{given} was answered, but not asked", "回答了 {given}，但题目中没有")
NEWER = Text("it is of a newer version (format {format})", "它由更新的版本生成（格式 {format}）")


class RunRecord(Struct, frozen=True):
    """One run of an exercise."""

    folder: str
    digest: str


class Exercise(Struct, frozen=True, kw_only=True):
    """exercise.json."""

    format: int = FORMAT
    learner: str
    seed: int | None = None  # by which questions and addresses were chosen
    questions: tuple[str, ...]
    runs: Mapping[str, RunRecord]  # by scenario

    @property
    def binding(self) -> str:
        """What binds answers to these runs, questions and this learner."""
        digests = sorted(run.digest for run in self.runs.values())
        bound = (self.learner, self.seed, self.questions, digests)
        return hashlib.sha256(msgspec.json.encode(bound)).hexdigest()[:32]


class Graded(Struct, frozen=True):
    """One folder's grades; ``refused``: why there are none."""

    folder: str
    learner: str
    grades: tuple[Grade, ...] = ()
    refused: LabError | None = None
    strays: tuple[Text, ...] = ()  # what was answered without having been asked

    @property
    def score(self) -> float | None:
        """The mean of what was gradable; None: nothing was."""
        scores = [one.score for one in self.grades if one.ungradable is None]
        return sum(scores) / len(scores) if scores else None


def export(
    target: Path,
    learner: str,
    asked: Sequence[Question],
    folders: Mapping[str, Path],
    language: Language,
    seed: int | None = None,
) -> Exercise:
    """Write an exercise folder; raises FileExistsError if there is one."""
    target.mkdir(parents=True)
    runs = {}
    for scenario, folder in folders.items():
        copy = target / "runs" / folder.name
        shutil.copytree(folder, copy)
        runs[scenario] = RunRecord(folder.name, run_digest(copy))
    ids = tuple(one.id for one in asked)
    exercise = Exercise(learner=learner, seed=seed, questions=ids, runs=runs)
    octets = msgspec.json.format(msgspec.json.encode(exercise), indent=1)
    (target / "exercise.json").write_bytes(octets + b"\n")
    form = blank_form(asked, exercise.binding, language)
    (target / "answers.yaml").write_text(form, encoding="utf-8")
    names = {name: run.folder for name, run in runs.items()}
    sheet = draw_questions(asked, names, learner, language)
    (target / "QUESTIONS.md").write_text(sheet, encoding="utf-8")
    return exercise


def grade_folder(folder: Path) -> Graded:
    """Grade one folder; what is wrong with it as a whole is told in ``refused``."""
    try:
        exercise = _read(folder)
        handed = _read_answers(folder, exercise)
        runs, unusable = _load(folder, exercise)
        asked = [questions.find(name) for name in exercise.questions]
    except (ExerciseDamaged, AnswersUnreadable, QuestionUnknown) as error:
        return Graded(str(folder), folder.name, refused=error)
    except OSError as error:
        return Graded(str(folder), folder.name, refused=_damaged(folder, same(str(error))))
    grades = (_grade(one, handed, runs, unusable) for one in asked)
    strays = tuple(NOT_ASKED.fill(given=name) for name in handed.strays(asked))
    return Graded(str(folder), exercise.learner, tuple(grades), strays=strays)


def _grade(question: Question, handed: Handed, runs: Runs, unusable: Mapping[str, Text]) -> Grade:
    if fault := handed.faults.get(question.id):
        return Grade(question.id, fault=fault.what.fill(**fault.details))
    reason = next((unusable[name] for name in question.runs if name in unusable), None)
    return grade(question, handed.of(question), runs, reason)


def run_digest(folder: Path) -> str:
    """SHA-256 over what a run's evidence is read from, names and contents."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in EVIDENCE for path in folder.glob(pattern)):
        octets = path.read_bytes()
        digest.update(f"{path.name} {len(octets)}\n".encode())
        digest.update(octets)
    return digest.hexdigest()


def _read(folder: Path) -> Exercise:
    path = folder / "exercise.json"
    if not path.is_file():
        raise _damaged(folder, NO_FILE.fill(file=path.name))
    try:
        exercise = msgspec.json.decode(bytes(read_octets(path)), type=Exercise)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(folder, NOT_JSON.fill(detail=error)) from error
    if exercise.format > FORMAT:
        raise _damaged(folder, NEWER.fill(format=exercise.format))
    return exercise


def _read_answers(folder: Path, exercise: Exercise) -> Handed:
    path = folder / "answers.yaml"
    if not path.is_file():
        raise _damaged(folder, NO_FILE.fill(file=path.name))
    handed = read_form(bytes(read_octets(path)), path)
    if not handed.binding:
        raise _damaged(folder, UNBOUND)
    if handed.binding != exercise.binding:
        raise _damaged(folder, FOREIGN)
    return handed


def _load(folder: Path, exercise: Exercise) -> tuple[Runs, dict[str, Text]]:
    """The runs, and of those that prove nothing, why; raises ExerciseDamaged for changed ones."""
    played: dict[str, Evidence] = {}
    unusable: dict[str, Text] = {}
    for scenario, run in exercise.runs.items():
        path = folder / "runs" / Path(run.folder).name
        if not path.is_dir() or run_digest(path) != run.digest:
            raise _damaged(folder, CHANGED.fill(run=run.folder))
        try:
            played[scenario] = load_run(path)
            reason = why_not(played[scenario], judge(played[scenario]))
        except LabError as error:  # it came damaged
            reason = error.what.fill(**error.details)
        if reason is not None:
            unusable[scenario] = reason
    return Runs(played), unusable


def _damaged(folder: Path, detail: Text) -> ExerciseDamaged:
    return ExerciseDamaged(folder=folder.name, detail=detail)
