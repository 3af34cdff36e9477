"""The batch optimiser: numpy and scipy, no ORM, no clock."""

from dispatch.matching.estimators.batch import Outcome, Pair, Waiting, match
from dispatch.matching.estimators.explained import explanation
from dispatch.matching.estimators.problem import Problem, build

__all__ = ["Outcome", "Pair", "Problem", "Waiting", "build", "explanation", "match"]
