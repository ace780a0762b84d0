-- Prices, vouchers, payments, what is to be said to providers, where the money is, and receipts.

-- name: terms_of(offering_id)^
SELECT o.offering_id, o.store_id, o.title, o.price_cents, o.currency, s.time_zone,
    o.lengths_seconds, p.body AS prices
FROM offerings AS o JOIN stores AS s USING (store_id) LEFT JOIN prices AS p USING (offering_id)
WHERE o.offering_id = :offering_id;

-- name: voucher(code_digest)^
-- With what of it has been used, and not been given back.
SELECT v.voucher_id, v.store_id, v.offering_id, v.terms, v.starts_at, v.ends_at, v.uses_max,
    v.revoked_at,
    (SELECT CAST(coalesce(sum(u.uses), 0) AS BIGINT) FROM voucher_uses AS u
        WHERE u.voucher_id = v.voucher_id AND u.returned_at IS NULL) AS uses,
    (SELECT CAST(coalesce(sum(u.seconds), 0) AS BIGINT) FROM voucher_uses AS u
        WHERE u.voucher_id = v.voucher_id AND u.returned_at IS NULL) AS seconds_used
FROM vouchers AS v WHERE v.code_digest = :code_digest;

-- name: use_voucher(payment_id, voucher_id, uses, seconds, used_at)!
INSERT INTO voucher_uses (payment_id, voucher_id, uses, seconds, used_at)
VALUES (:payment_id, :voucher_id, :uses, :seconds, :used_at)
ON CONFLICT (payment_id) DO UPDATE SET returned_at = NULL;

-- name: return_voucher(payment_id, returned_at)!
UPDATE voucher_uses SET returned_at = :returned_at
WHERE payment_id = :payment_id AND returned_at IS NULL;

-- name: add_payment(payment_id, order_id, store_id, attempt, method, due_cents, currency, body, expires_at, made_at)!
INSERT INTO payments (payment_id, order_id, store_id, attempt, method, state, due_cents, currency,
    body, expires_at, made_at, changed_at)
VALUES (:payment_id, :order_id, :store_id, :attempt, :method, 'pending', :due_cents, :currency,
    :body, :expires_at, :made_at, :made_at);

-- name: payment(payment_id)^
SELECT payment_id, order_id, store_id, attempt, method, state, due_cents, currency, body,
    provider_ref, checkout_url
FROM payments WHERE payment_id = :payment_id;

-- name: pending_of(order_id)^
SELECT payment_id, method, body, checkout_url FROM payments
WHERE order_id = :order_id AND state = 'pending';

-- name: pending_by_link(link)$
SELECT p.payment_id FROM payments AS p JOIN orders AS o USING (order_id)
WHERE o.link = :link AND p.state = 'pending';

-- name: last_attempt(order_id)$
SELECT coalesce(max(attempt), 0) FROM payments WHERE order_id = :order_id;

-- name: move_payment(payment_id, before, state, changed_at)!
UPDATE payments SET state = :state, changed_at = :changed_at
WHERE payment_id = :payment_id AND state = :before;

-- name: payments_with_money(order_id)
-- Those of an order that brought money which is still here, the latest first.
SELECT payment_id FROM payments
WHERE order_id = :order_id AND state IN ('paid', 'partly_refunded') ORDER BY attempt DESC;

-- name: balances_of_payment(payment_id)
SELECT p.account, CAST(sum(p.cents) AS BIGINT) AS cents
FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE e.payment_id = :payment_id GROUP BY p.account;

-- name: balances_of_order(order_id)
SELECT p.account, CAST(sum(p.cents) AS BIGINT) AS cents
FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE e.order_id = :order_id GROUP BY p.account;

-- name: reservation_charged(reservation_id)^
SELECT store_id, offering_id, order_id FROM reservations WHERE reservation_id = :reservation_id;

-- name: paid_by_voucher(order_id)
SELECT payment_id, state FROM payments
WHERE order_id = :order_id AND method = 'voucher' AND state = 'paid' AND due_cents = 0;

-- name: other_claims(order_id, reservation_id)$
SELECT count(*) FROM reservations WHERE order_id = :order_id AND reservation_id <> :reservation_id
    AND state NOT IN ('cancelled', 'expired');

-- name: add_entry(kind, store_id, order_id, payment_id, reservation_id, why, at)$
INSERT INTO entries (kind, store_id, order_id, payment_id, reservation_id, why, at)
VALUES (:kind, :store_id, :order_id, :payment_id, :reservation_id, :why, :at)
RETURNING entry_id;

-- name: add_posting(entry_id, line, account, cents, currency)!
INSERT INTO postings (entry_id, line, account, cents, currency)
VALUES (:entry_id, :line, :account, :cents, :currency);

-- name: next_receipt(store_id, year)$
-- Taken with the receipt in one transaction, so that no number is ever left out.
INSERT INTO receipt_numbers (store_id, year, last) VALUES (:store_id, :year, 1)
ON CONFLICT (store_id, year) DO UPDATE SET last = receipt_numbers.last + 1
RETURNING last;

-- name: add_receipt(store_id, year, number, kind, order_id, payment_id, total_cents, currency, body, issued_at)!
INSERT INTO receipts (store_id, year, number, kind, order_id, payment_id, total_cents, currency,
    body, issued_at)
VALUES (:store_id, :year, :number, :kind, :order_id, :payment_id, :total_cents, :currency,
    :body, :issued_at);

-- name: refund_receipts(payment_id)
SELECT body FROM receipts WHERE payment_id = :payment_id AND kind = 'refund' ORDER BY issued_at;

-- name: receipts_of(order_id)
SELECT r.store_id, s.title AS store_title, s.time_zone, r.year, r.number, r.kind, r.payment_id,
    r.total_cents, r.currency, r.body, r.issued_at
FROM receipts AS r JOIN stores AS s USING (store_id)
WHERE r.order_id = :order_id ORDER BY r.year, r.number;

-- name: zone_of(store_id)$
SELECT time_zone FROM stores WHERE store_id = :store_id;

-- name: payment_by_ref(provider_ref, provider_intent)^
SELECT payment_id FROM payments
WHERE provider_ref = :provider_ref OR provider_intent = :provider_intent;

-- name: note_opened(payment_id, provider_ref, checkout_url)!
-- Its provider has a page for it; the page's own word may have come before this.
UPDATE payments SET provider_ref = coalesce(provider_ref, :provider_ref),
    checkout_url = :checkout_url
WHERE payment_id = :payment_id;

-- name: note_intent(payment_id, provider_ref, provider_intent)!
UPDATE payments SET provider_ref = coalesce(provider_ref, :provider_ref),
    provider_intent = coalesce(provider_intent, :provider_intent)
WHERE payment_id = :payment_id;

-- name: later_attempt(order_id, payment_id)^
-- The latest payment of an order that was begun after this one, and is alive.
SELECT later.payment_id, later.state FROM payments AS later, payments AS this
WHERE this.payment_id = :payment_id AND later.order_id = :order_id
    AND later.attempt > this.attempt AND later.state NOT IN ('expired', 'failed')
ORDER BY later.attempt DESC LIMIT 1;

-- name: pending_over(now, most)
SELECT order_id FROM payments WHERE state = 'pending' AND expires_at <= :now
ORDER BY expires_at LIMIT :most;

-- name: add_call(call_id, payment_id, kind, cents, next_at, made_at)!
INSERT INTO payment_calls (call_id, payment_id, kind, cents, state, next_at, made_at)
VALUES (:call_id, :payment_id, :kind, :cents, 'due', :next_at, :made_at)
ON CONFLICT (call_id) DO NOTHING;

-- name: calls_due(now, most)
SELECT c.call_id, c.payment_id, c.kind, c.cents, c.attempts, c.made_at, p.order_id, p.store_id,
    p.state AS payment_state, p.due_cents, p.currency, p.body, p.provider_ref, p.provider_intent,
    p.checkout_url, p.expires_at, p.made_at AS charged_at, o.link, o.mail, o.language
FROM payment_calls AS c JOIN payments AS p USING (payment_id) JOIN orders AS o USING (order_id)
WHERE c.state = 'due' AND c.next_at <= :now ORDER BY c.next_at, c.call_id LIMIT :most;

-- name: call_to(payment_id, kind)^
-- What is due to be said of a payment, whenever it was to be said again.
SELECT c.call_id, c.payment_id, c.kind, c.cents, c.attempts, c.made_at, p.order_id, p.store_id,
    p.state AS payment_state, p.due_cents, p.currency, p.body, p.provider_ref, p.provider_intent,
    p.checkout_url, p.expires_at, p.made_at AS charged_at, o.link, o.mail, o.language
FROM payment_calls AS c JOIN payments AS p USING (payment_id) JOIN orders AS o USING (order_id)
WHERE c.payment_id = :payment_id AND c.kind = :kind AND c.state = 'due';

-- name: settle_call(call_id, state, detail, done_at)!
UPDATE payment_calls SET state = :state, detail = :detail, done_at = :done_at,
    attempts = attempts + 1
WHERE call_id = :call_id AND state = 'due';

-- name: call_again(call_id, detail, next_at)$
UPDATE payment_calls SET next_at = :next_at, detail = :detail, attempts = attempts + 1
WHERE call_id = :call_id AND state = 'due'
RETURNING attempts;

-- name: refunds_called(payment_id)$
-- What of a payment we ourselves have told its provider to give back, or are about to.
SELECT CAST(coalesce(sum(cents), 0) AS BIGINT) FROM payment_calls
WHERE payment_id = :payment_id AND kind = 'refund' AND state IN ('due', 'done');

-- name: moved_of_kind(payment_id, kind, account)$
SELECT CAST(coalesce(sum(p.cents), 0) AS BIGINT)
FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE e.payment_id = :payment_id AND e.kind = :kind AND p.account = :account;

-- name: see_event(provider, event_id, kind, sameness, payment_id, body, seen_at, applied_at)!
INSERT INTO webhook_events (provider, event_id, kind, sameness, payment_id, body, seen_at, applied_at)
VALUES (:provider, :event_id, :kind, :sameness, :payment_id, :body, :seen_at, :applied_at)
ON CONFLICT DO NOTHING;

-- name: events_waiting(payment_id)
SELECT provider, event_id, body FROM webhook_events
WHERE payment_id = :payment_id AND applied_at IS NULL ORDER BY seen_at, event_id;

-- name: note_applied(provider, event_id, applied_at)!
UPDATE webhook_events SET applied_at = :applied_at
WHERE provider = :provider AND event_id = :event_id AND applied_at IS NULL;

-- name: bounce_call(call_id)!
UPDATE payment_calls SET state = 'refused', detail = 'bounced'
WHERE call_id = :call_id AND kind = 'refund' AND state = 'done';

-- name: voucher_left(payment_id)^
-- What a voucher gives that a payment has used, and how much of it is used in all.
SELECT v.terms, v.uses_max, CAST(sum(every.uses) AS BIGINT) AS uses,
    CAST(sum(every.seconds) AS BIGINT) AS seconds_used
FROM voucher_uses AS used JOIN vouchers AS v USING (voucher_id)
JOIN voucher_uses AS every ON every.voucher_id = v.voucher_id AND every.returned_at IS NULL
WHERE used.payment_id = :payment_id AND used.returned_at IS NULL
GROUP BY v.voucher_id, v.terms, v.uses_max;

-- name: keep_prices(offering_id, body, changed_at)!
INSERT INTO prices (offering_id, body, changed_at) VALUES (:offering_id, :body, :changed_at)
ON CONFLICT (offering_id) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at;

-- name: add_voucher(voucher_id, code_digest, store_id, offering_id, terms, note, starts_at, ends_at, uses_max, made_at)!
INSERT INTO vouchers (voucher_id, code_digest, store_id, offering_id, terms, note, starts_at,
    ends_at, uses_max, made_at)
VALUES (:voucher_id, :code_digest, :store_id, :offering_id, :terms, :note, :starts_at,
    :ends_at, :uses_max, :made_at);

-- name: revoke_voucher(voucher_id, revoked_at)!
UPDATE vouchers SET revoked_at = coalesce(revoked_at, :revoked_at) WHERE voucher_id = :voucher_id;

-- name: vouchers(most)
SELECT v.voucher_id, v.store_id, v.offering_id, v.terms, v.note, v.starts_at, v.ends_at,
    v.uses_max, v.revoked_at, v.made_at, CAST(coalesce(sum(u.uses), 0) AS BIGINT) AS uses,
    CAST(coalesce(sum(u.seconds), 0) AS BIGINT) AS seconds_used
FROM vouchers AS v
LEFT JOIN voucher_uses AS u ON u.voucher_id = v.voucher_id AND u.returned_at IS NULL
GROUP BY v.voucher_id ORDER BY v.made_at DESC, v.voucher_id LIMIT :most;

-- name: entries(store_id, before, most)
SELECT e.entry_id, e.kind, e.order_id, e.payment_id, e.reservation_id, e.why, e.at, p.account,
    p.cents, p.currency
FROM (SELECT entry_id, kind, order_id, payment_id, reservation_id, why, at FROM entries
    WHERE store_id = :store_id AND entry_id < :before ORDER BY entry_id DESC LIMIT :most) AS e
JOIN postings AS p USING (entry_id)
ORDER BY e.entry_id DESC, p.line;

-- name: credits_due(account, method, since, before, most)
-- Reservations for which something is owed that nobody has corrected lately, of orders whose provider can pay it.
SELECT e.order_id, e.reservation_id, CAST(sum(p.cents) AS BIGINT) AS cents
FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE p.account = :account AND e.reservation_id IN (SELECT c.reservation_id FROM entries AS c
        WHERE c.kind = 'compensated' AND c.at >= :since AND c.at <= :before)
    AND EXISTS (SELECT 1 FROM payments AS paid WHERE paid.order_id = e.order_id
        AND paid.method = :method AND paid.state IN ('paid', 'partly_refunded'))
GROUP BY e.order_id, e.reservation_id
HAVING sum(p.cents) < 0 AND max(e.at) <= :before
ORDER BY e.order_id, e.reservation_id LIMIT :most;
