-- Prices, vouchers, payments, what is to be said to providers, where the money is, and receipts.

-- name: terms_of(offering_id)^
SELECT o.offering_id, o.store_id, o.title, o.price_cents, o.currency, s.time_zone,
    p.body AS prices
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
SELECT payment_id, order_id, store_id, method, state, due_cents, currency, body, checkout_url
FROM payments WHERE payment_id = :payment_id;

-- name: pending_of(order_id)^
SELECT payment_id, method, body FROM payments
WHERE order_id = :order_id AND state = 'pending';

-- name: last_attempt(order_id)$
SELECT coalesce(max(attempt), 0) FROM payments WHERE order_id = :order_id;

-- name: move_payment(payment_id, before, state, changed_at)!
UPDATE payments SET state = :state, changed_at = :changed_at
WHERE payment_id = :payment_id AND state = :before;

-- name: payments_with_money(order_id)
-- Those of an order that brought money which is still here, the latest first.
SELECT payment_id, store_id, method, state, currency, body FROM payments
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
