"""The null of claim-level reliability: weights that know nothing, on the same samples."""

from eval.scaling.joining import shuffled
from eval.scaling.pool import pools_of

from .synthetic import samples


def test_each_questions_reliabilities_are_dealt_out_among_its_voters():
    data = samples([[0, 1, None, 0, 2], [1, 1, 1, 1, 1]], reliability=lambda q, s: s / 10 + q / 20)
    (made,) = pools_of(data, "clr", "here")
    dealt = shuffled(made, seed=3)
    for before, after in zip(made.asked, dealt.asked, strict=True):
        own = [[s.candidate.reliability for s in one.samples] for one in (before, after)]
        assert sorted(own[0]) == sorted(own[1])
        mute = [i for i, s in enumerate(before.samples) if s.candidate.cluster is None]
        assert [own[0][i] for i in mute] == [own[1][i] for i in mute]
    assert dealt.asked != made.asked
    assert shuffled(made, seed=3).asked == dealt.asked
    assert (dealt.score == made.score).all()
