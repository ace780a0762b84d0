"""What a person reads of a moment in a ticket's timeline: one plain sentence in each language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from common.rules.help import CallEnd
from common.rules.sessions import EndReason, Moment, MomentKind
from common.rules.tickets import DenialReason
from common.words.denials import DENIAL_WORDS
from common.words.help import CALL_END_WORDS

Amount = Callable[[int, str], str]
"""What writes an amount of minor units of a currency as the reader's language does."""

_EN: Final[Mapping[MomentKind, str]] = {
    MomentKind.HELD: "The time is held while you decide.",
    MomentKind.BOOKED: "Booked: the ticket is yours.",
    MomentKind.CHANGED: "Moved to another time or booth.",
    MomentKind.GIVEN_ON: "Given to somebody else.",
    MomentKind.CANCEL_ASKED: "Cancelled by you; the booth still has to confirm it.",
    MomentKind.CANCEL_TOO_LATE: "It had been used before the cancellation arrived.",
    MomentKind.CANCELLED: "Cancelled.",
    MomentKind.LAPSED: "It was not completed in time, and the time was let go.",
    MomentKind.MISSED: "Nobody came in time.",
    MomentKind.SCANNED: "The ticket was read.",
    MomentKind.DENIED: "A scan opened nothing: {denial}",
    MomentKind.OPENED: "It was checked and opened, with {granted} to go.",
    MomentKind.OPENED_ALONE: "The booth opened it without the line, with {granted} to go.",
    MomentKind.MOVED: "Moved to another booth.",
    MomentKind.STARTING: "The terminal begins to start the program.",
    MomentKind.STARTED: "The program runs{check}.",
    MomentKind.NOT_STARTED: "It did not start: {reason}.",
    MomentKind.ALIVE: "It runs: {delivered} given so far, {heartbeats} heartbeats.",
    MomentKind.UNWATCHED: "Nothing was heard of it for {missed} min; nothing is charged for that.",
    MomentKind.INTERRUPTED: "It was interrupted: {seconds} were lost.",
    MomentKind.RESUMED: "The power was back, and it went on with {remaining} to go.",
    MomentKind.EXTENDED: "Extended by {seconds}.",
    MomentKind.EXTENSION_TAKEN: "The terminal lets it run to its new end.",
    MomentKind.WARNED: "The screen showed that {left} were left.",
    MomentKind.WARNING_UNSEEN: "It was told that {left} were left; whether a screen showed it is "
    "not known.",
    MomentKind.STOP_INSTRUCTED: "The stop was instructed: {reason}.",
    MomentKind.STOP_ANSWERED: "The terminal answered the stop: {state}.",
    MomentKind.ENDING: "The program is being ended.",
    MomentKind.STOPPED: "Ended, and seen to be gone: {reason}. {delivered} were given.",
    MomentKind.PRESUMED: "Its time was over and nobody had reported: it is taken to have ended.",
    MomentKind.SETTLED: "The booth reported at last: {reason}. {delivered} were given.",
    MomentKind.TURNED_OVER: "The booth is made ready for the next one.",
    MomentKind.READY_AGAIN: "The booth is ready again.",
    MomentKind.OUT_OF_ORDER: "The booth is out of order: {fault}.",
    MomentKind.SWITCHED: "The switch {switch} was moved for it.",
    MomentKind.COMPLETED: "The use is complete.",
    MomentKind.UNDELIVERED: "Its time was over and nothing had run.",
    MomentKind.PAID_BACK: "Paid back for {seconds} that you were not given: {amount}.",
    MomentKind.CORRECTED: "What is paid back was corrected by {amount}.",
    MomentKind.HELP_CALLED: "{name} was called for help.",
    MomentKind.HELP_OPENED: "{name} was there to help, after {seconds}.",
    MomentKind.HELP_ENDED: "The talk with {name} was over after {seconds}. {call_end}",
    MomentKind.HELP_MISSED: "The call to {name} came to nothing. {call_end}",
    MomentKind.OTHER: "In the ledger: {type}.",
}

_JA: Final[Mapping[MomentKind, str]] = {
    MomentKind.HELD: "お手続きのあいだ、この時間をお取りしました。",
    MomentKind.BOOKED: "ご予約が確定し、チケットを発行しました。",
    MomentKind.CHANGED: "日時またはブースを変更しました。",
    MomentKind.GIVEN_ON: "別の方に譲られました。",
    MomentKind.CANCEL_ASKED: "取り消しを受け付け、ブースの確認を待っています。",
    MomentKind.CANCEL_TOO_LATE: "取り消しが届く前に利用されていました。",
    MomentKind.CANCELLED: "取り消されました。",
    MomentKind.LAPSED: "お手続きが間に合わず、予約は解除されました。",
    MomentKind.MISSED: "ご来店を確認できませんでした。",
    MomentKind.SCANNED: "チケットを読み取りました。",
    MomentKind.DENIED: "開きませんでした。{denial}",
    MomentKind.OPENED: "確認して開きました。残りは{granted}でした。",
    MomentKind.OPENED_ALONE: "回線が切れていたためブースだけで開きました。残りは{granted}でした。",
    MomentKind.MOVED: "別のブースに移りました。",
    MomentKind.STARTING: "端末が起動を始めました。",
    MomentKind.STARTED: "起動を{check}確認しました。",
    MomentKind.NOT_STARTED: "起動しませんでした。{reason}。",
    MomentKind.ALIVE: "利用中です。ここまで{delivered}、確認は{heartbeats}回です。",
    MomentKind.UNWATCHED: "{missed}分間、端末からの確認がありませんでした。料金には影響しません。",
    MomentKind.INTERRUPTED: "中断があり、{seconds}が失われました。",
    MomentKind.RESUMED: "電源が戻り、残り{remaining}から再開しました。",
    MomentKind.EXTENDED: "{seconds}延長しました。",
    MomentKind.EXTENSION_TAKEN: "端末が新しい終了時刻を受け取りました。",
    MomentKind.WARNED: "残り{left}であることを画面に表示しました。",
    MomentKind.WARNING_UNSEEN: "残り{left}とお知らせしましたが、画面に出たかは確認できていません。",
    MomentKind.STOP_INSTRUCTED: "終了を指示しました。{reason}。",
    MomentKind.STOP_ANSWERED: "端末が終了の指示に{state}と答えました。",
    MomentKind.ENDING: "終了しています。",
    MomentKind.STOPPED: "{reason}。終了を確認し、ご利用は{delivered}でした。",
    MomentKind.PRESUMED: "時間が過ぎても報告がなく、終了したものとみなしました。",
    MomentKind.SETTLED: "ブースから報告が届きました。{reason}。ご利用は{delivered}でした。",
    MomentKind.TURNED_OVER: "次のお客様のためにブースを準備しています。",
    MomentKind.READY_AGAIN: "ブースの準備ができました。",
    MomentKind.OUT_OF_ORDER: "ブースは故障中です。理由は{fault}です。",
    MomentKind.SWITCHED: "スイッチ{switch}を動かしました。",
    MomentKind.COMPLETED: "ご利用が完了しました。",
    MomentKind.UNDELIVERED: "ご利用いただけないまま時間が過ぎました。",
    MomentKind.PAID_BACK: "ご利用いただけなかった{seconds}分として{amount}を返金します。",
    MomentKind.CORRECTED: "返金額を{amount}修正しました。",
    MomentKind.HELP_CALLED: "{name}を呼び出しました。",
    MomentKind.HELP_OPENED: "{name}が{seconds}後に応答しました。",
    MomentKind.HELP_ENDED: "{name}とのやりとりは{seconds}で終わりました。{call_end}",
    MomentKind.HELP_MISSED: "{name}への呼び出しはつながりませんでした。{call_end}",
    MomentKind.OTHER: "記録に{type}とあります。",
}

MOMENT_WORDS: Final = {"en": _EN, "ja": _JA}
"""What a person reads of a moment, by language; in braces what is known of it."""

_REASONS_EN: Final[Mapping[EndReason, str]] = {
    EndReason.TIME_UP: "the time was up",
    EndReason.CUSTOMER_ENDED: "you ended it",
    EndReason.STAFF_ENDED: "the store ended it",
    EndReason.START_TIMEOUT: "it could not begin in time",
    EndReason.PROGRAM_FAILED: "the program failed",
    EndReason.DEVICE_FAILED: "the booth failed",
    EndReason.POWER_LOSS: "the power was cut",
    EndReason.REBOOT: "the booth's PC was started anew",
    EndReason.SUPERSEDED: "another use took its place",
    EndReason.REVOKED: "the ticket was called back",
    EndReason.EMERGENCY: "there was an emergency",
    EndReason.UNKNOWN: "nobody can say why",
}

_REASONS_JA: Final[Mapping[EndReason, str]] = {
    EndReason.TIME_UP: "お時間になりました",
    EndReason.CUSTOMER_ENDED: "お客様が終了されました",
    EndReason.STAFF_ENDED: "店舗が終了しました",
    EndReason.START_TIMEOUT: "時間内に始められませんでした",
    EndReason.PROGRAM_FAILED: "プログラムの不具合です",
    EndReason.DEVICE_FAILED: "ブースの故障です",
    EndReason.POWER_LOSS: "停電がありました",
    EndReason.REBOOT: "ブースのパソコンが再起動しました",
    EndReason.SUPERSEDED: "別の利用に替わりました",
    EndReason.REVOKED: "チケットが無効になりました",
    EndReason.EMERGENCY: "緊急停止がありました",
    EndReason.UNKNOWN: "理由は分かりません",
}

REASON_WORDS: Final = {"en": _REASONS_EN, "ja": _REASONS_JA}
"""Why a session ended, within a sentence."""

CHECK_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "process": ": its process is there",
        "port": ": it answers on its port",
        "window": ": its window is on the screen",
        "file": ": it has written its sign",
        "command": ": its own check says so",
    },
    "ja": {
        "process": "プロセスで",
        "port": "応答で",
        "window": "画面の表示で",
        "file": "起動の印で",
        "command": "専用の検査で",
    },
}
"""By which ready check a start was verified; one that is not known adds nothing."""

_UNITS: Final = {"en": (" h", " min", " s", " "), "ja": ("時間", "分", "秒", "")}


def moment_words_for(moment: Moment, language: str, amount: Amount) -> str:
    """Return the sentence of a moment in this language, English where it is none of ours."""
    spoken = language if language in MOMENT_WORDS else "en"
    return MOMENT_WORDS[spoken][moment.kind].format_map(_known(moment, spoken, amount))


def length_in_words(seconds: float, language: str) -> str:
    """Return a length in whole hours, minutes and seconds, those that are not nought.

    What is measured to the millisecond is told to the second: never more than there was.
    """
    hours_unit, minutes_unit, seconds_unit, gap = _UNITS.get(language, _UNITS["en"])
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, hours_unit), (minutes, minutes_unit), (rest, seconds_unit))
    return gap.join(f"{count}{unit}" for count, unit in parts if count) or f"0{seconds_unit}"


def _known(moment: Moment, language: str, amount: Amount) -> dict[str, str]:
    """Return what a sentence may name; each has words, whatever the ledger's line says."""
    facts = moment.facts
    return {
        "type": _text(facts, "type"),
        "state": _text(facts, "state"),
        "fault": _text(facts, "fault").replace("_", " "),
        "switch": _text(facts, "switch"),
        "name": _text(facts, "name"),
        "call_end": _call_end(_text(facts, "why"), language),
        "granted": length_in_words(_number(facts, "seconds"), language),
        "seconds": length_in_words(_number(facts, "seconds"), language),
        "left": length_in_words(_number(facts, "seconds_left"), language),
        "remaining": length_in_words(_number(facts, "remaining_seconds"), language),
        "delivered": length_in_words(_number(facts, "delivered_seconds"), language),
        "heartbeats": f"{_number(facts, 'heartbeats'):.0f}",
        "missed": f"{_number(facts, 'missed'):.0f}",
        "amount": amount(int(_number(facts, "cents")), _text(facts, "currency")),
        "reason": _reason(_text(facts, "reason"), language),
        "check": CHECK_WORDS[language].get(_text(facts, "verified_by"), ""),
        "denial": _denial(_text(facts, "reason"), language),
    }


def _reason(word: str, language: str) -> str:
    is_known = word in set(EndReason)
    return REASON_WORDS[language][EndReason(word) if is_known else EndReason.UNKNOWN]


def _denial(word: str, language: str) -> str:
    """Return what happened by a denial's most general words, which need nothing to be known."""
    is_known = word in set(DenialReason)
    reason = DenialReason(word) if is_known else DenialReason.UNKNOWN_TICKET
    return DENIAL_WORDS[language][reason][-1].what


def _call_end(word: str, language: str) -> str:
    is_known = word in set(CallEnd)
    return CALL_END_WORDS[language][CallEnd(word)].what if is_known else ""


def _number(facts: Mapping[str, object], name: str) -> float:
    value = facts.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0


def _text(facts: Mapping[str, object], name: str) -> str:
    return str(facts.get(name, ""))
