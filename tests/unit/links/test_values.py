from c2kit.links import Outcome, SendResult
from c2kit.links.outgoing import Outgoing


def result(data: bytes, written_bytes: int, reason: str = "") -> SendResult:
    outgoing = Outgoing(data, None)
    outgoing.written_bytes = written_bytes
    outgoing.finish(reason)
    return outgoing.result


def test_what_became_of_a_send_follows_from_what_was_written() -> None:
    assert result(b"abc", 3) == SendResult(Outcome.SENT, "", 3)
    assert result(b"abc", 0, "gone") == SendResult(Outcome.NOT_SENT, "gone", 0)
    assert result(b"abc", 2, "gone") == SendResult(Outcome.PARTIAL, "gone", 2)


def test_the_first_word_about_a_send_counts() -> None:
    outgoing = Outgoing(b"abc", None)
    assert not outgoing.wait(0)
    outgoing.finish("expired")
    outgoing.written_bytes = 3
    outgoing.finish()
    assert outgoing.result.outcome is Outcome.NOT_SENT
    assert outgoing.is_finished


def test_a_send_to_many_is_sent_or_not_only_where_it_is_so_for_all() -> None:
    sent, unsent = SendResult(Outcome.SENT, "", 3), SendResult(Outcome.NOT_SENT, "gone")
    assert SendResult.of_many([sent, sent]) == SendResult(Outcome.SENT, "", 6)
    assert SendResult.of_many([unsent, unsent]) == SendResult(Outcome.NOT_SENT, "gone", 0)
    assert SendResult.of_many([sent, unsent]) == SendResult(Outcome.PARTIAL, "gone", 3)
