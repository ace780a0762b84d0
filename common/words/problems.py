"""What an operator reads of a problem."""

from __future__ import annotations

from typing import Final

from common.rules.problems import ProblemKind
from common.words.sentences import Words

_PROBLEMS_EN: Final = {
    ProblemKind.REGISTRATION_WAITING: Words(
        what="A terminal waits for your word.",
        next="Look at what it is and what has changed, then confirm or reject it.",
    ),
    ProblemKind.SPECIFICATION_FORGED: Words(
        what="A terminal sent a specification that does not add up.",
        next="Suspend it, and look at the PC before it may serve again.",
    ),
    ProblemKind.TERMINAL_MOVED: Words(
        what="A terminal's identity seems to be on another PC.",
        next="If you have changed the PC, confirm it; if not, retire it and enrol the right one.",
    ),
    ProblemKind.IDENTITY_COPIED: Words(
        what="Two PCs say they are the same terminal.",
        next="Switch the wrong one off, then enrol the right one again with a new code.",
    ),
    ProblemKind.IDENTITY_TAKEN_OVER: Words(
        what="Somebody else connects under a terminal's name.",
        next="Look for a second PC with its disk; enrol the right one again with a new code.",
    ),
    ProblemKind.KEY_ENROLLED_TWICE: Words(
        what="A PC that is a terminal already asked to be another one.",
        next="To enrol it again, make a code for that terminal; a copy needs a key of its own.",
    ),
    ProblemKind.STALE_CONFIRMATION: Words(
        what="An old confirmation reached a terminal once more.",
        next="It was not taken. If it happens again, find out who repeats old messages.",
    ),
    ProblemKind.SERVICE_TOO_EARLY: Words(
        what="A terminal was sent service information before it was confirmed.",
        next="Nothing of it was taken. Check that only one controller speaks to this broker.",
    ),
    ProblemKind.PROTOCOL_UNSPOKEN: Words(
        what="A terminal and the controller have no version of the protocol in common.",
        next="Bring the older of the two up to date.",
    ),
    ProblemKind.PROGRAM_DID_NOT_START: Words(
        what="A customer's program did not start.",
        next="Look at the device. What was not delivered is credited to the customer.",
    ),
    ProblemKind.CODES_GUESSED: Words(
        what="Somebody tries short codes that no ticket has.",
        next="Look at who stands there. Tickets themselves open as ever; codes count again soon.",
    ),
    ProblemKind.OFFLINE_START_DOUBTED: Words(
        what="A terminal without the line started a session that is in doubt.",
        next="Look at the ticket's story, and close this when you know what happened.",
    ),
    ProblemKind.RESERVATION_WITHOUT_DEVICE: Words(
        what="A reservation has lost its device.",
        next="Move it to another device or give the money back, before the customer comes.",
    ),
    ProblemKind.DEVICE_OUT_OF_ORDER: Words(
        what="A device has put itself out of order.",
        next="Put it right, then say that it is in order: it is verified before anybody is let in.",
    ),
    ProblemKind.TURNOVER_OVERDUE: Words(
        what="A device is not ready, and its next customer comes soon.",
        next="Have it cleaned and confirmed, skip that, or give its customer another device.",
    ),
    ProblemKind.RESERVATION_SHUT_OUT: Words(
        what="A reservation lies in a time that is closed or blacked out.",
        next="Offer its customer another time or device, or refund it; or open again for it.",
    ),
    ProblemKind.PEER_COPIED: Words(
        what="Two controllers say they are the same branch.",
        next="Stop the copy, then add the right one again: cloud-controller peers add.",
    ),
    ProblemKind.MODULE_LOG_SET_BACK: Words(
        what="Another controller knows more of our log of modules than we do.",
        next="An old backup was put back. The lines come back by themselves; look at the seats.",
    ),
    ProblemKind.MODULE_LOG_FORKED: Words(
        what="Two databases have written the same log of modules.",
        next="Stop the copy, then close the log on both sides: modules answer-for.",
    ),
    ProblemKind.SEATS_OVERDRAWN: Words(
        what="More seats of a module are in use than are owned.",
        next="Buy the missing ones, or have a branch return some. No new one is given until then.",
    ),
    ProblemKind.PACKAGES_STALE: Words(
        what="The signed lists of packages run out, or cannot be signed anew.",
        next="With the sticks that have the keys: cloud-controller modules list, then renew.",
    ),
    ProblemKind.PACKAGE_FAILED: Words(
        what="A package could not be installed on a terminal, or did not run there.",
        next="Read why; put it right there, or publish a release that is. It is tried again.",
    ),
    ProblemKind.SEATS_RUN_OUT: Words(
        what="A program was to start, and every seat of a module that it needs was in use.",
        next="Own more seats, or take some from the root. It closes when the next start has one.",
    ),
    ProblemKind.PAYMENT_DOUBTED: Words(
        what="Money came in that is not what was asked for.",
        next="Compare it with the provider's own page, then give it back there or keep it.",
    ),
    ProblemKind.PAYMENT_DISPUTED: Words(
        what="A card's owner contests a payment.",
        next="Answer on the provider's page in time, with the ticket's story as evidence.",
    ),
    ProblemKind.PAYMENT_REFUSED: Words(
        what="The payment provider does not do what it is told.",
        next="Read what it says, put it right there or in the settings, and settle the rest there.",
    ),
    ProblemKind.PAID_BACK_ELSEWHERE: Words(
        what="Money was given back on the provider's page and not by this controller.",
        next="Give the reservation up too, if that was meant.",
    ),
    ProblemKind.SEATS_UNSETTLED: Words(
        what="This controller and its root do not agree on its seats.",
        next="Compare both with cloud-controller seats list, then settle it at the root.",
    ),
    ProblemKind.LOAN_OVERDUE: Words(
        what="A store took a ticket for a use and does not say what became of it.",
        next="See why the store's controller is silent; what it reports later still counts.",
    ),
    ProblemKind.STORE_NOT_TAKEN: Words(
        what="Who keeps our reservations does not take one of our stores.",
        next="Give the store another number, or say at the other side whose store it is.",
    ),
    ProblemKind.LETTER_REFUSED: Words(
        what="A customer's letter was refused for good.",
        next="Mostly the address was mistyped; the customer still has the ticket page.",
    ),
    ProblemKind.HOOK_FAILING: Words(
        what="An address that is told of events does not take them.",
        next="See why it is silent, on the page of webhooks; this closes itself when it answers.",
    ),
    ProblemKind.HELP_ASKED: Words(
        what="Somebody at a device has called for help.",
        next="Look at the device and its session, call or go there, then settle this.",
    ),
    ProblemKind.MAIL_NOT_TAKEN: Words(
        what="The mail server takes no letters from us.",
        next="Look at the mail settings and the server; what was given up is not sent later.",
    ),
    ProblemKind.SWITCH_DID_NOT_ANSWER: Words(
        what="A door, a light or a socket does not do what it is told.",
        next="See that it has power and is on the network; this closes itself when it answers.",
    ),
    ProblemKind.PROMISE_BROKEN: Words(
        what="The audit of the books found something that must never be.",
        next="Look whom it concerns and put it right; tell whoever keeps the software.",
    ),
    ProblemKind.LEAK_FOUND: Words(
        what="A device and its sessions do not agree.",
        next="Look whether somebody uses it: end that, or put the device out of order.",
    ),
    ProblemKind.START_LATE: Words(
        what="A customer waits for a program that is not there yet.",
        next="If it does not come within half a minute, the ticket is good on another device.",
    ),
    ProblemKind.PROGRAM_FAILED: Words(
        what="A program ended by a fault while a customer used it.",
        next="Look at the device. What was not delivered is paid back by itself.",
    ),
    ProblemKind.COMPENSATION_MADE: Words(
        what="Time that was not delivered was paid back.",
        next="Read the ticket's story to see why; nothing is left to be done.",
    ),
    ProblemKind.LICENCE_LOW: Words(
        what="The seats of a module run out.",
        next="Own more seats, or see which terminals hold some that they do not use.",
    ),
    ProblemKind.TERMINAL_OFFLINE: Words(
        what="A terminal is away while its store is open.",
        next="See that the PC has power and the network. Tickets it holds open there all the same.",
    ),
    ProblemKind.CLOCK_UNTRUSTED: Words(
        what="A terminal turned a ticket away because it cannot trust its clock.",
        next="Bring its line back, or have a time server reachable: then it knows the time again.",
    ),
}

_PROBLEMS_JA: Final = {
    ProblemKind.REGISTRATION_WAITING: Words(
        what="端末が承認を待っています。",
        next="機器の内容と変わった点を確かめて、承認するか却下してください。",
    ),
    ProblemKind.SPECIFICATION_FORGED: Words(
        what="端末から辻褄の合わない申告が届きました。",
        next="端末を停止し、現物を確かめてから再開してください。",
    ),
    ProblemKind.TERMINAL_MOVED: Words(
        what="端末の登録が別のパソコンで使われているようです。",
        next="入れ替えた覚えがあれば承認し、なければ廃止して正しいパソコンを登録してください。",
    ),
    ProblemKind.IDENTITY_COPIED: Words(
        what="二台のパソコンが同じ端末を名乗っています。",
        next="誤った方の電源を切り、正しい方を新しいコードで登録し直してください。",
    ),
    ProblemKind.IDENTITY_TAKEN_OVER: Words(
        what="別の誰かがこの端末の名前で接続しています。",
        next="複製されたパソコンがないか調べ、正しい方を新しいコードで登録し直してください。",
    ),
    ProblemKind.KEY_ENROLLED_TWICE: Words(
        what="登録済みのパソコンが別の端末として登録しようとしました。",
        next="登録し直すにはその端末用のコードを発行し、複製したパソコンには新しい鍵を作ってください。",
    ),
    ProblemKind.STALE_CONFIRMATION: Words(
        what="古い承認がもう一度端末に届きました。",
        next="受け付けていません。繰り返す場合は、古い通知を送っている相手を調べてください。",
    ),
    ProblemKind.SERVICE_TOO_EARLY: Words(
        what="承認前の端末にサービス情報が送られました。",
        next="端末は受け取っていません。ほかの管理サーバーがつながっていないか確かめてください。",
    ),
    ProblemKind.PROTOCOL_UNSPOKEN: Words(
        what="端末と管理サーバーの版が合いません。", next="古い方を更新してください。"
    ),
    ProblemKind.PROGRAM_DID_NOT_START: Words(
        what="お客様のプログラムが起動しませんでした。",
        next="機器を確認してください。提供できなかった分はお客様に返金扱いとなります。",
    ),
    ProblemKind.CODES_GUESSED: Words(
        what="どのチケットにもない短いコードが繰り返し入力されています。",
        next="端末の前の様子を確認してください。チケット自体は読み取れます。コードもしばらくすると使えます。",
    ),
    ProblemKind.OFFLINE_START_DOUBTED: Words(
        what="回線のない端末が、確認できない利用を開始しました。",
        next="チケットの経過を確認し、事情が分かったらこの件を閉じてください。",
    ),
    ProblemKind.RESERVATION_WITHOUT_DEVICE: Words(
        what="予約の機器が使えなくなりました。",
        next="お客様の来店前に、別の機器へ移すか返金してください。",
    ),
    ProblemKind.DEVICE_OUT_OF_ORDER: Words(
        what="機器が自ら使用停止になりました。",
        next="修理したら使用可能に戻してください。確認が済むまでお客様は入れません。",
    ),
    ProblemKind.TURNOVER_OVERDUE: Words(
        what="次のお客様が間もなく来店しますが、機器の準備が終わっていません。",
        next="清掃と確認を済ませるか、確認を省くか、別の機器をご案内ください。",
    ),
    ProblemKind.RESERVATION_SHUT_OUT: Words(
        what="休業または使用停止の時間に予約が入っています。",
        next="お客様に別の時間か機器をご案内するか、返金してください。営業に戻すこともできます。",
    ),
    ProblemKind.PEER_COPIED: Words(
        what="二つの制御装置が同じ支部を名乗っています。",
        next="複製された方を止め、正しい方を cloud-controller peers add で追加し直してください。",
    ),
    ProblemKind.MODULE_LOG_SET_BACK: Words(
        what="他の制御装置が、こちらのモジュール記録をこちらより多く持っています。",
        next="古いバックアップが戻されました。記録は自動で戻ります。席の数を確認してください。",
    ),
    ProblemKind.MODULE_LOG_FORKED: Words(
        what="二つのデータベースが同じモジュール記録に書き込みました。",
        next="複製を止め、両方で modules answer-for を実行し、記録を閉じてください。",
    ),
    ProblemKind.SEATS_OVERDRAWN: Words(
        what="モジュールの使用中の席が、所有する席の数を超えています。",
        next="不足分を購入するか、支部から席を戻してください。それまで新しい席は渡されません。",
    ),
    ProblemKind.PACKAGES_STALE: Words(
        what="パッケージの署名済み一覧の期限が近いか、更新できません。",
        next="cloud-controller modules list で確認し、鍵のメディアを挿して renew してください。",
    ),
    ProblemKind.PACKAGE_FAILED: Words(
        what="端末でパッケージを導入できないか、動作しませんでした。",
        next="理由を読み、端末を直すか、正しい版を公開してください。自動で再試行されます。",
    ),
    ProblemKind.SEATS_RUN_OUT: Words(
        what="プログラムの開始に必要なモジュールの席がすべて使用中でした。",
        next="席を増やすか、本部から席を受け取ってください。次に席が取れたときに閉じます。",
    ),
    ProblemKind.PAYMENT_DOUBTED: Words(
        what="請求と異なる入金がありました。",
        next="決済会社の画面と照らし合わせ、そこで返金するか、受け取るかを決めてください。",
    ),
    ProblemKind.PAYMENT_DISPUTED: Words(
        what="カードの持ち主が支払いに異議を申し立てています。",
        next="期限までに決済会社の画面で回答してください。チケットの記録が証拠になります。",
    ),
    ProblemKind.PAYMENT_REFUSED: Words(
        what="決済会社が指示どおりに処理しません。",
        next="決済会社の返答を読み、その画面か設定で直し、残りはその画面で処理してください。",
    ),
    ProblemKind.PAID_BACK_ELSEWHERE: Words(
        what="この管理サーバーからではなく、決済会社の画面で返金されました。",
        next="予約も取り消すつもりだったのなら、取り消してください。",
    ),
    ProblemKind.SEATS_UNSETTLED: Words(
        what="この制御装置と親の制御装置で、席の数が合いません。",
        next="双方で cloud-controller seats list を見比べ、親の側で数を確定してください。",
    ),
    ProblemKind.LOAN_OVERDUE: Words(
        what="店舗がチケットを使用のために受け取ったまま、結果を知らせてきません。",
        next="店舗の制御装置が応答しない理由を調べてください。遅れた報告も有効です。",
    ),
    ProblemKind.STORE_NOT_TAKEN: Words(
        what="予約を預かる側が、当方の店舗を受け付けません。",
        next="店舗に別の番号を付けるか、予約を預かる側で店舗の持ち主を確かめてください。",
    ),
    ProblemKind.LETTER_REFUSED: Words(
        what="お客様へのメールが受け取りを拒まれました。",
        next="多くは宛先の書き間違いです。お客様のチケットのページはそのまま使えます。",
    ),
    ProblemKind.HOOK_FAILING: Words(
        what="Webhookの送り先が通知を受け取りません。",
        next="Webhookのページで原因を確認してください。応答があれば、この件は自動的に閉じます。",
    ),
    ProblemKind.HELP_ASKED: Words(
        what="お客様が画面から店舗を呼んでいます。",
        next="機器と利用の様子を確かめ、電話するか現地へ向かい、済んだらこの件を閉じてください。",
    ),
    ProblemKind.MAIL_NOT_TAKEN: Words(
        what="メールサーバーが当店のメールを受け付けません。",
        next="メールの設定とサーバーを確認してください。諦めたメールは後から送られません。",
    ),
    ProblemKind.SWITCH_DID_NOT_ANSWER: Words(
        what="扉、照明、またはコンセントが指示どおりに動きません。",
        next="電源と通信を確認してください。応答があれば、この件は自動的に閉じます。",
    ),
    ProblemKind.PROMISE_BROKEN: Words(
        what="帳簿の監査で、あってはならない記録が見つかりました。",
        next="示された記録から関係するお客様を確かめ、ソフトウェアの担当者に知らせてください。",
    ),
    ProblemKind.LEAK_FOUND: Words(
        what="機器の状態と利用の記録が一致しません。",
        next="使っている人がいないか確かめ、利用を終えるか、機器を停止してください。",
    ),
    ProblemKind.START_LATE: Words(
        what="プログラムが始まるのをお客様がお待ちです。",
        next="30秒以内に始まらなければ、チケットは別の機器で使えます。",
    ),
    ProblemKind.PROGRAM_FAILED: Words(
        what="ご利用中にプログラムが異常終了しました。",
        next="機器を確認してください。提供できなかった分は自動で返金されます。",
    ),
    ProblemKind.COMPENSATION_MADE: Words(
        what="提供できなかった時間の分を返金しました。",
        next="理由はチケットの履歴で分かります。ほかに必要な作業はありません。",
    ),
    ProblemKind.LICENCE_LOW: Words(
        what="モジュールのライセンス数が残りわずかです。",
        next="数を増やすか、使われていない端末が持っていないか確認してください。",
    ),
    ProblemKind.TERMINAL_OFFLINE: Words(
        what="営業時間中なのに端末とつながりません。",
        next="PCの電源とネットワークを確認してください。端末が預かるチケットはそのまま使えます。",
    ),
    ProblemKind.CLOCK_UNTRUSTED: Words(
        what="時計を信頼できないため、端末がチケットを断りました。",
        next="回線を復旧するか、時刻サーバーに届くようにしてください。時刻は自動で合います。",
    ),
}

PROBLEM_WORDS: Final = {"en": _PROBLEMS_EN, "ja": _PROBLEMS_JA}
"""What the operator reads of a problem, by language."""
