"""What the customer's screen says by itself, beside verdicts and notices, in each language."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from common.words.sentences import Words


class Said(StrEnum):
    """What a screen can say of a device; each has words in every language."""

    SHOW_TICKET = "show_ticket"
    """Idle: hold a ticket to the scanner."""
    ASKING = "asking"
    """A code was read, and whoever knows is being asked."""
    WELCOME = "welcome"
    """The ticket opens the device."""
    STARTING = "starting"
    RUNNING = "running"
    WARNED_MINUTES = "warned_minutes"
    WARNED_SECONDS = "warned_seconds"
    ALONE_RUNNING = "alone_running"
    """While the line is down: the use goes on, and what cannot be done meanwhile."""
    FINISHING = "finishing"
    THANKS_TIME_UP = "thanks_time_up"
    THANKS_ENDED = "thanks_ended"
    THANKS_STAFF = "thanks_staff"
    THANKS_BROKEN = "thanks_broken"
    """It ended by no wish of the customer's: what was not delivered is paid back."""
    TURNOVER = "turnover"
    TURNOVER_CODE = "turnover_code"
    """It waits for whoever cleans to say so, by code."""
    OUT_OF_ORDER = "out_of_order"
    CLOSED = "closed"
    """This terminal serves nobody now."""
    HELP_TOLD = "help_told"
    """The operator's controller has the call."""
    HELP_WAITS = "help_waits"
    """The line is down: the call leaves as soon as it can."""
    EXTENDED_MINUTES = "extended_minutes"
    EXTENDED_SECONDS = "extended_seconds"
    NO_ANSWER = "no_answer"
    """Whoever could say is not reached; nothing has changed."""
    WRONG_CODE = "wrong_code"
    CODE_TAKEN = "code_taken"
    TOO_FAST = "too_fast"
    """The same button again at once."""


_EN: Final = {
    Said.SHOW_TICKET: Words(
        what="Show your ticket",
        next="Hold its square code to the scanner, about 15\u00a0cm away.",
    ),
    Said.ASKING: Words(what="Got it", next="One moment, your ticket is being checked."),
    Said.WELCOME: Words(what="Welcome", next="Your time begins now. Enjoy it."),
    Said.STARTING: Words(what="Starting", next="It will be ready in a moment."),
    Said.RUNNING: Words(what="Your time", next="It ends by itself when the time is up."),
    Said.WARNED_MINUTES: Words(
        what="{number} minutes left", next="Finish and save what you want to keep."
    ),
    Said.WARNED_SECONDS: Words(
        what="{number} seconds left", next="Please save now. It ends by itself."
    ),
    Said.ALONE_RUNNING: Words(
        what="No connection to the store's system.",
        next="Your time goes on to its end. It can be extended once the line is back.",
    ),
    Said.FINISHING: Words(what="Finishing", next="It is being closed. Please wait."),
    Said.THANKS_TIME_UP: Words(
        what="Thank you", next="Your time is up. Please do not leave anything behind."
    ),
    Said.THANKS_ENDED: Words(
        what="Thank you", next="You have ended it. Please do not leave anything behind."
    ),
    Said.THANKS_STAFF: Words(
        what="Thank you", next="The store has ended it. What you did not get, you get back."
    ),
    Said.THANKS_BROKEN: Words(
        what="We are sorry",
        next="It stopped before its time. What you did not get, you get back: nothing to do.",
    ),
    Said.TURNOVER: Words(
        what="Being made ready", next="Please wait: the next visit can begin in a moment."
    ),
    Said.TURNOVER_CODE: Words(
        what="Being cleaned", next="It opens again once the cleaning is confirmed."
    ),
    Said.OUT_OF_ORDER: Words(
        what="Out of order", next="Please use another booth; the owner has been told."
    ),
    Said.CLOSED: Words(
        what="Not in service now", next="Please use another booth; the owner has been told."
    ),
    Said.HELP_TOLD: Words(
        what="The store has your call.", next="Somebody looks at it. You can go on meanwhile."
    ),
    Said.HELP_WAITS: Words(
        what="Your call is on its way.",
        next="It reaches the store as soon as there is a connection.",
    ),
    Said.EXTENDED_MINUTES: Words(what="{number} minutes more", next="Go on: nothing else to do."),
    Said.EXTENDED_SECONDS: Words(what="{number} seconds more", next="Go on: nothing else to do."),
    Said.NO_ANSWER: Words(
        what="There is no answer just now.", next="Nothing has changed. Please try again."
    ),
    Said.WRONG_CODE: Words(what="That code is not right.", next="Please try it again."),
    Said.CODE_TAKEN: Words(what="Thank you.", next="It opens again now."),
    Said.TOO_FAST: Words(what="One moment.", next="Please try again in a few seconds."),
}

_JA: Final = {
    Said.SHOW_TICKET: Words(
        what="チケットをかざしてください",
        next="四角いコードを、スキャナーから15センチほど離してかざします。",
    ),
    Said.ASKING: Words(
        what="読み取りました", next="チケットを確認しています。少しお待ちください。"
    ),
    Said.WELCOME: Words(what="ようこそ", next="ご利用時間が始まります。どうぞお楽しみください。"),
    Said.STARTING: Words(what="起動しています", next="まもなくご利用いただけます。"),
    Said.RUNNING: Words(what="残り時間", next="時間になると自動で終了します。"),
    Said.WARNED_MINUTES: Words(
        what="残り{number}分です", next="必要なものは保存して、ご準備ください。"
    ),
    Said.WARNED_SECONDS: Words(
        what="残り{number}秒です", next="今すぐ保存してください。自動で終了します。"
    ),
    Said.ALONE_RUNNING: Words(
        what="店舗のシステムに接続できません。",
        next="ご利用は終了時刻まで続きます。延長は接続が戻るとできます。",
    ),
    Said.FINISHING: Words(what="終了しています", next="少しお待ちください。"),
    Said.THANKS_TIME_UP: Words(
        what="ありがとうございました",
        next="お時間になりました。お忘れ物のないようお願いします。",
    ),
    Said.THANKS_ENDED: Words(
        what="ありがとうございました",
        next="ご利用を終了しました。お忘れ物のないようお願いします。",
    ),
    Said.THANKS_STAFF: Words(
        what="ありがとうございました",
        next="店舗が終了しました。ご利用できなかった分は返金します。",
    ),
    Said.THANKS_BROKEN: Words(
        what="申し訳ありません",
        next="途中で止まってしまいました。ご利用できなかった分は自動で返金します。",
    ),
    Said.TURNOVER: Words(what="準備中です", next="まもなく次の方がご利用いただけます。"),
    Said.TURNOVER_CODE: Words(what="清掃中です", next="清掃の確認が済むとご利用いただけます。"),
    Said.OUT_OF_ORDER: Words(
        what="故障中です", next="別のブースをご利用ください。店舗には連絡済みです。"
    ),
    Said.CLOSED: Words(
        what="ただいま休止中です", next="別のブースをご利用ください。店舗には連絡済みです。"
    ),
    Said.HELP_TOLD: Words(
        what="お店に連絡しました。", next="確認していますので、そのままご利用いただけます。"
    ),
    Said.HELP_WAITS: Words(what="連絡を送っています。", next="接続が戻りしだい、お店に届きます。"),
    Said.EXTENDED_MINUTES: Words(what="{number}分延長しました", next="そのままお使いください。"),
    Said.EXTENDED_SECONDS: Words(what="{number}秒延長しました", next="そのままお使いください。"),
    Said.NO_ANSWER: Words(
        what="ただいま応答がありません。", next="何も変わっていません。もう一度お試しください。"
    ),
    Said.WRONG_CODE: Words(what="コードが違います。", next="もう一度入力してください。"),
    Said.CODE_TAKEN: Words(what="ありがとうございます。", next="ご利用を再開します。"),
    Said.TOO_FAST: Words(
        what="少しお待ちください。", next="数秒たってからもう一度お試しください。"
    ),
}

SCREEN_WORDS: Final = {"en": _EN, "ja": _JA}
"""What a screen says, by language; `{number}` is how many."""

SCREEN_LABELS: Final = {
    "en": {
        "language": "Language",
        "large": "Larger text",
        "help": "Call for help",
        "extend": "More time",
        "end": "End now",
        "back": "Back",
        "all": "All booths",
        "number": "No. {n}",
        "free": "Free",
        "used": "Minutes used: {n}",
        "around_price": "{price} in all",
        "around_next": "Booked from {time}",
        "around_coming": "Booked from {time}, {n} to come",
        "remaining": "Time left",
        "remaining_said": "{minutes} minutes {seconds} seconds left",
        "until": "Possible for up to {n} minutes more.",
        "minutes": "{n} min",
        "and": "+{n} min",
        "and_seconds": "+{n} s",
        "no_charge": "No charge",
        "extend_title": "How much longer?",
        "extend_how": "One touch and it is yours. The price goes on your reservation.",
        "end_title": "End now?",
        "end_how": "What is left of your time is not paid back.",
        "end_yes": "Yes, end it",
        "end_no": "No, go on",
        "help_title": "What is it about?",
        "help_how": "The store is told which booth it is. Your time goes on.",
        "help_device": "Something does not work",
        "help_person": "I need a person",
        "help_other": "Something else",
        "help_phone": "Or call {phone}",
        "confirm": "Cleaning is done",
        "confirm_title": "The cleaner's code",
        "confirm_how": "Type it in, and the booth opens again.",
        "confirm_go": "Confirm",
        "clear": "Delete",
        "asks": "One moment",
        "lost_what": "There is no answer just now.",
        "lost_next": "Nothing has changed. Please try again.",
        "away_what": "This screen has lost its connection.",
        "away_next": "Your time goes on as shown. It comes back by itself.",
        "preview": "What the scanner sees",
        "how": "A ticket's code held 15\u00a0cm away from the scanner",
        "noscript": "This screen needs its script. Please tell the owner.",
    },
    "ja": {
        "language": "言語",
        "large": "文字を大きく",
        "help": "お店を呼ぶ",
        "extend": "延長する",
        "end": "終了する",
        "back": "戻る",
        "all": "すべてのブース",
        "number": "{n}番",
        "free": "空いています",
        "used": "ご利用時間 {n}分",
        "around_price": "料金 {price}",
        "around_next": "{time}から次のご予約",
        "around_coming": "{time}から次のご予約、計{n}件",
        "remaining": "残り時間",
        "remaining_said": "残り{minutes}分{seconds}秒",
        "until": "あと{n}分まで延長できます。",
        "minutes": "{n}分",
        "and": "+{n}分",
        "and_seconds": "+{n}秒",
        "no_charge": "無料",
        "extend_title": "どのくらい延長しますか",
        "extend_how": "ひと押しで延長します。料金はご予約に加わります。",
        "end_title": "終了しますか",
        "end_how": "残りの時間は返金されません。",
        "end_yes": "はい、終了します",
        "end_no": "いいえ、続けます",
        "help_title": "どうされましたか",
        "help_how": "どのブースかは、お店に伝わります。ご利用時間はそのまま進みます。",
        "help_device": "うまく動かない",
        "help_person": "人に来てほしい",
        "help_other": "そのほか",
        "help_phone": "お電話は {phone}",
        "confirm": "清掃が済みました",
        "confirm_title": "清掃用コード",
        "confirm_how": "入力すると、ご利用を再開します。",
        "confirm_go": "確認する",
        "clear": "消す",
        "asks": "少しお待ちください",
        "lost_what": "ただいま応答がありません。",
        "lost_next": "何も変わっていません。もう一度お試しください。",
        "away_what": "画面の接続が切れています。",
        "away_next": "ご利用時間は表示のとおり進みます。自動で戻ります。",
        "preview": "スキャナーに映っているもの",
        "how": "スキャナーから15センチほど離してかざしたチケット",
        "noscript": "この画面にはスクリプトが必要です。お店にお知らせください。",
    },
}
"""What stands on the screen's buttons, fields and pictures, by language."""


def screen_words_for(said: Said, language: str, number: int = 0) -> Words:
    """Return what a screen says in this language, English where it is none of ours."""
    words = SCREEN_WORDS.get(language, SCREEN_WORDS["en"])[said]
    return Words(what=words.what.format(number=number), next=words.next.format(number=number))
