from digit import problems
from servicekit.problems import Problem

OWN = [each for each in vars(problems).values() if isinstance(each, type) and each.__module__ == problems.__name__]


def test_each_problem_is_one_class_with_one_type() -> None:
    assert len({problem.type() for problem in OWN}) == len(OWN) >= 7
    for problem in OWN:
        assert issubclass(problem, Problem)
        assert problem.status == 422
        assert problem.title
