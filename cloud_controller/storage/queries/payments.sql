-- Prices, vouchers, payments, what is to be said to providers, where the money is, and receipts.

-- name: terms_of(offering_id)^
SELECT o.offering_id, o.store_id, o.title, o.price_cents, o.currency, s.time_zone,
    p.body AS prices
FROM offerings AS o JOIN stores AS s USING (store_id) LEFT JOIN prices AS p USING (offering_id)
WHERE o.offering_id = :offering_id;

-- name: add_payment(payment_id, order_id, store_id, attempt, method, due_cents, currency, body, expires_at, made_at)!
INSERT INTO payments (payment_id, order_id, store_id, attempt, method, state, due_cents, currency,
    body, expires_at, made_at, changed_at)
VALUES (:payment_id, :order_id, :store_id, :attempt, :method, 'pending', :due_cents, :currency,
    :body, :expires_at, :made_at, :made_at);

-- name: payment(payment_id)^
SELECT payment_id, order_id, store_id, attempt, method, state, due_cents, currency, body,
    provider_ref, provider_intent, checkout_url, expires_at, made_at, changed_at
FROM payments WHERE payment_id = :payment_id;

-- name: pending_of(order_id)^
SELECT payment_id, method, due_cents, currency, body, checkout_url, expires_at
FROM payments WHERE order_id = :order_id AND state = 'pending';

-- name: last_attempt(order_id)$
SELECT coalesce(max(attempt), 0) FROM payments WHERE order_id = :order_id;

-- name: move_payment(payment_id, before, state, changed_at)!
UPDATE payments SET state = :state, changed_at = :changed_at
WHERE payment_id = :payment_id AND state = :before;

-- name: refundable(order_id)
-- Payments of an order that brought money, the latest first.
SELECT payment_id, method, state, due_cents, currency, body FROM payments
WHERE order_id = :order_id AND state IN ('paid', 'partly_refunded') ORDER BY attempt DESC;

-- name: kept_of_payment(payment_id)$
-- What a payment brought, less what of it went back or is about to.
SELECT coalesce(sum(p.cents), 0) FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE e.payment_id = :payment_id
    AND (p.account LIKE 'cash:%' OR p.account IN ('liability:refund', 'liability:credit'));

-- name: kept_of_order(order_id)$
-- The same of an order, and less what is owed as compensation.
SELECT coalesce(sum(p.cents), 0) FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE e.order_id = :order_id
    AND (p.account LIKE 'cash:%' OR p.account IN ('liability:refund', 'liability:credit'));

-- name: add_entry(kind, store_id, order_id, payment_id, reservation_id, why, at)$
INSERT INTO entries (kind, store_id, order_id, payment_id, reservation_id, why, at)
VALUES (:kind, :store_id, :order_id, :payment_id, :reservation_id, :why, :at)
RETURNING entry_id;

-- name: add_posting(entry_id, line, account, cents, currency)!
INSERT INTO postings (entry_id, line, account, cents, currency)
VALUES (:entry_id, :line, :account, :cents, :currency);

-- name: postings_of_charge(payment_id)
SELECT p.account, p.cents, p.currency FROM entries AS e JOIN postings AS p USING (entry_id)
WHERE e.payment_id = :payment_id AND e.kind = 'charged' ORDER BY p.line;
