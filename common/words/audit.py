"""What an operator reads of what an audit has found: what is so, and what it means."""

from __future__ import annotations

from typing import Final

from common.rules.audit import Invariant
from common.words.sentences import Words

_EN: Final = {
    Invariant.SOLD_TWICE: Words(
        what="One device was sold twice for the same time.",
        next="Move one of the two reservations to another device.",
    ),
    Invariant.RAN_TWICE: Words(
        what="One ticket ran twice, or one device ran two sessions at once.",
        next="Look at both sessions' timelines: only one of them was paid for.",
    ),
    Invariant.STARTED_WITHOUT_RIGHT: Words(
        what="A session ran for which no right was given.",
        next="Find out who started it there; suspend the terminal until you know.",
    ),
    Invariant.RAN_TOO_LONG: Words(
        what="A session had more time than it was granted.",
        next="Look at the device: its program may still be running.",
    ),
    Invariant.DEVICE_WITHOUT_SESSION: Words(
        what="A device was on without a session.",
        next="Somebody uses it, or used it, without having paid. Look at the device.",
    ),
    Invariant.SESSION_WITHOUT_DEVICE: Words(
        what="A session was paid for, and its device was not on.",
        next="Ask its terminal's log what ran; give back what was not delivered.",
    ),
    Invariant.NOT_PAID_BACK: Words(
        what="What was paid back for lost time is not what is owed.",
        next="Compare the two sums, and give the customer the difference.",
    ),
    Invariant.RIGHT_ISSUED_TWICE: Words(
        what="Two rights were issued for one.",
        next="Suspend the terminal: two copies of it may be at work.",
    ),
    Invariant.SEATS_OVER_LIMIT: Words(
        what="More seats of a module are out than there are.",
        next="Own more of them, or take some back, before its licence is broken.",
    ),
    Invariant.EVENTS_STUCK: Words(
        what="A terminal's reports have waited for a day for one that is missing.",
        next="Look at the terminal's log; what it says later is not in the books yet.",
    ),
    Invariant.SERVED_UNCONFIRMED: Words(
        what="A terminal is served that nobody has confirmed.",
        next="Suspend it, and look at what it is before you confirm it.",
    ),
    Invariant.LEDGER_UNBALANCED: Words(
        what="An entry of the ledger does not sum to nought.",
        next="Somebody has written in the database by hand: compare it with a backup.",
    ),
    Invariant.MORE_BACK_THAN_PAID: Words(
        what="More went back of a payment than came in.",
        next="Compare the payment with what its provider shows.",
    ),
    Invariant.RECEIPT_MISSING: Words(
        what="A number of the receipts is missing.",
        next="Compare the receipts with a backup: none may ever be taken out.",
    ),
    Invariant.ACT_UNRECORDED: Words(
        what="Something was decided, and nobody is named who decided it.",
        next="Somebody has written in the database by hand: ask who did.",
    ),
}

_JA: Final = {
    Invariant.SOLD_TWICE: Words(
        what="同じ機器の同じ時間が二重に販売されています。",
        next="どちらかの予約を別の機器に移してください。",
    ),
    Invariant.RAN_TWICE: Words(
        what="一枚のチケットが二度使われたか、一台で二つの利用が重なっています。",
        next="両方の利用の経過を確かめてください。支払われたのは片方だけです。",
    ),
    Invariant.STARTED_WITHOUT_RIGHT: Words(
        what="許可のない利用がありました。",
        next="誰が始めたかを確かめ、分かるまで端末を停止してください。",
    ),
    Invariant.RAN_TOO_LONG: Words(
        what="許可より長い利用がありました。",
        next="機器を見てください。プログラムがまだ動いているかもしれません。",
    ),
    Invariant.DEVICE_WITHOUT_SESSION: Words(
        what="利用の記録がないのに、機器が動いていました。",
        next="支払いなしに使われている、または使われた恐れがあります。機器を見てください。",
    ),
    Invariant.SESSION_WITHOUT_DEVICE: Words(
        what="支払われた利用なのに、機器が動いていませんでした。",
        next="端末の記録で何が動いたかを確かめ、提供できなかった分を返金してください。",
    ),
    Invariant.NOT_PAID_BACK: Words(
        what="失われた時間の返金額が、返すべき額と一致しません。",
        next="二つの額を比べ、差額をお客様に返してください。",
    ),
    Invariant.RIGHT_ISSUED_TWICE: Words(
        what="一つのはずの許可が二つ発行されています。",
        next="端末を停止してください。複製が動いている恐れがあります。",
    ),
    Invariant.SEATS_OVER_LIMIT: Words(
        what="モジュールの席が、持っている数を超えて使われています。",
        next="ライセンス違反になる前に、席を増やすか、返してもらってください。",
    ),
    Invariant.EVENTS_STUCK: Words(
        what="端末の報告が、届かない報告を一日待ち続けています。",
        next="端末の記録を確かめてください。その後の報告はまだ帳簿にありません。",
    ),
    Invariant.SERVED_UNCONFIRMED: Words(
        what="確認されていない端末が営業に加わっています。",
        next="停止して、どのような機器かを見てから確認してください。",
    ),
    Invariant.LEDGER_UNBALANCED: Words(
        what="貸借の合わない仕訳があります。",
        next="データベースが直接書き換えられた恐れがあります。控えと比べてください。",
    ),
    Invariant.MORE_BACK_THAN_PAID: Words(
        what="入金より多く返金されています。",
        next="決済会社の表示と比べてください。",
    ),
    Invariant.RECEIPT_MISSING: Words(
        what="領収書の番号が抜けています。",
        next="控えと比べてください。領収書は一枚も取り除けません。",
    ),
    Invariant.ACT_UNRECORDED: Words(
        what="誰が決めたか記録のない決定があります。",
        next="データベースが直接書き換えられた恐れがあります。関係者に尋ねてください。",
    ),
}

INVARIANT_WORDS: Final = {"en": _EN, "ja": _JA}
"""What the operator reads of a finding, by language."""
