"""What stands around a call with a helper on the customer's screen, in each language."""

from __future__ import annotations

from typing import Final

CALL_LABELS: Final = {
    "en": {
        "call": "Write with {name}",
        "call_unread": "{name}: new ({n})",
        "helpers_here": "Write with somebody now",
        "helpers_none": "Nobody is there to write with just now. The store can be called.",
        "helpers_away": "No connection: nobody can be reached just now.",
        "helpers_away_next": "A call is kept, and reaches the store as soon as the line is back.",
        "helpers_phone": "To write with somebody, open your ticket on your phone and touch Help.",
        "helpers_store": "Call the store",
        "helper_free": "No charge",
        "helper_title": "Begin with {name}?",
        "helper_price": "It costs {price}.",
        "helper_go": "Begin, {price}",
        "helper_calls": "Calling {name}",
        "call_waiting": "{name} has your call. One moment.",
        "call_place": "{name} comes after {n} more.",
        "call_unsent": "Your call is on its way to {name}.",
        "call_open": "{name} is here.",
        "call_away": "No connection just now. What you write is kept and sent when it is back.",
        "call_lines": "What was written",
        "call_empty": "Say now what it is about. {name} reads it first.",
        "call_you": "You",
        "call_on_its_way": "on its way",
        "call_ready": "Ready sentences",
        "call_write": "Write to {name}",
        "call_send": "Send",
        "call_hide": "Hide",
        "call_end": "End this call",
        "call_again": "Choose again",
    },
    "ja": {
        "call": "{name}さんとのやりとり",
        "call_unread": "{name}さん 新着{n}件",
        "helpers_here": "いま文字で相談できます",
        "helpers_none": "いま相談できる担当者はいません。お店を呼ぶことはできます。",
        "helpers_away": "接続が切れているため、いまは相談できません。",
        "helpers_away_next": "お店への連絡は保存され、接続が戻りしだい届きます。",
        "helpers_phone": "文字での相談は、スマートフォンのチケットの「ヘルプ」からできます。",
        "helpers_store": "お店を呼ぶ",
        "helper_free": "無料",
        "helper_title": "{name}さんに相談しますか",
        "helper_price": "料金は{price}です。",
        "helper_go": "相談する {price}",
        "helper_calls": "{name}さんを呼んでいます",
        "call_waiting": "{name}さんに届きました。少しお待ちください。",
        "call_place": "{name}さんは、あと{n}名の次に対応します。",
        "call_unsent": "{name}さんに連絡しています。",
        "call_open": "{name}さんとつながっています。",
        "call_away": "接続が切れています。書いたものは保存され、戻りしだい届きます。",
        "call_lines": "書いたもの",
        "call_empty": "ご用件を先に書いておくと、{name}さんがすぐに読めます。",
        "call_you": "あなた",
        "call_on_its_way": "送信中",
        "call_ready": "よく使う文",
        "call_write": "{name}さんに書く",
        "call_send": "送る",
        "call_hide": "閉じる",
        "call_end": "相談を終える",
        "call_again": "選び直す",
    },
}
"""What stands on a call's buttons, fields and notices; `{name}` is the helper's."""

READY_SENTENCES: Final = {
    "en": (
        "How do I begin?",
        "It does not react.",
        "There is no sound.",
        "The picture is not right.",
        "Could somebody come here?",
        "It works now. Thank you!",
    ),
    "ja": (
        "始め方を教えてください。",
        "反応しません。",
        "音が出ません。",
        "画面がおかしいです。",
        "来ていただけますか。",
        "直りました。ありがとうございます。",
    ),
}
"""What can be said by one touch: most screens have no keyboard."""
