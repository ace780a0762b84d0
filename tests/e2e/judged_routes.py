"""Every route that a rogue terminal tries, by whose it is."""

from __future__ import annotations

from typing import Final

FOR_EVERYBODY: Final = """
GET /api/v1/stores
GET /api/v1/offerings
GET /api/v1/offerings/{offering}/slots
GET /api/v1/offerings/{offering}/now
POST /api/v1/reservations
POST /api/v1/orders
GET /api/v1/orders/{link}
POST /api/v1/orders/{link}/confirm
POST /api/v1/orders/{link}/release
POST /api/v1/waiting
GET /api/v1/waiting/{link}
POST /api/v1/waiting/{link}/withdraw
GET /api/v1/tickets/{link}
GET /api/v1/tickets/{link}/qr.svg
GET /api/v1/tickets/{link}/qr.png
GET /api/v1/tickets/{link}/story
GET /api/v1/tickets/{link}/timeline
GET /api/v1/tickets/{link}/ticket.ics
GET /api/v1/tickets/{link}/ticket.pdf
GET /api/v1/tickets/{link}/ticket.pkpass
GET /api/v1/tickets/{link}/google-wallet
GET /api/v1/tickets/{link}/receipt.pdf
POST /api/v1/tickets/find
POST /api/v1/tickets/{link}/cancel
POST /api/v1/tickets/{link}/end
POST /api/v1/tickets/{link}/reschedule
POST /api/v1/tickets/{link}/transfer
GET /api/v1/tickets/{link}/extensions
POST /api/v1/tickets/{link}/extensions
PUT /api/v1/tickets/{link}/extensions
GET /api/v1/quotes
POST /api/v1/payments/stripe/webhook
GET /api/v1/authority
GET /
GET /events
GET /s/{store}
GET /offline
GET /worker.js
GET /o/{offering}
POST /book
GET /t/worker.js
GET /b/{link}
POST /b/{link}/confirm
POST /b/{link}/voucher
POST /b/{link}/party
POST /b/{link}/release
GET /o/{offering}/wait
POST /wait
GET /w/{link}
GET /w/{link}/events
POST /w/{link}/withdraw
GET /t/{link}/reschedule
POST /t/{link}/reschedule
GET /t/{link}/transfer
POST /t/{link}/transfer
GET /t/{link}/more
POST /t/{link}/more
POST /t/{link}/itself
GET /t/{link}
GET /t/{link}/events
POST /t/{link}/cancel
POST /t/{link}/end
POST /t/{link}/mail
GET /clean/{link}
POST /clean/{link}/{task}
GET /find
POST /find
GET /pictures/{picture}
GET /static/{name}
GET /api/v1/openapi.json
GET /packages/metadata/{name}.json
GET /healthz
GET /readyz
GET /metrics
""".strip().splitlines()
"""Routes that tell a terminal what they tell everybody: it need not say who it is."""

FOR_THE_OPERATOR: Final = """
POST /api/v1/stores
POST /api/v1/stores/{store}/offline-starts
PUT /api/v1/stores/{store}/hours
PUT /api/v1/stores/{store}/directions
GET /api/v1/stores/{store}/offerings
PUT /api/v1/stores/{store}/offerings/{key}
DELETE /api/v1/stores/{store}/offerings/{key}
POST /api/v1/stores/{store}/offerings/{key}/pictures
GET /api/v1/blackouts
POST /api/v1/blackouts
DELETE /api/v1/blackouts/{blackout}
POST /api/v1/enrolment-codes
GET /api/v1/terminals
GET /api/v1/terminals/{terminal}
POST /api/v1/terminals/{terminal}/standing
POST /api/v1/terminals/{terminal}/modules/{module}/uninstall
POST /api/v1/terminals/{terminal}/modules/{module}/install
GET /api/v1/devices
POST /api/v1/devices/{device}
POST /api/v1/stores/{store}/cleaner-code
DELETE /api/v1/stores/{store}/cleaner-code
POST /api/v1/stores/{store}/cleaner-link
DELETE /api/v1/stores/{store}/cleaner-link
GET /api/v1/stores/{store}/photo-tasks
GET /api/v1/devices/{device}/photos/{photo}
GET /api/v1/programs
PUT /api/v1/programs/{program}
GET /api/v1/problems
POST /api/v1/problems/{problem}/solve
GET /api/v1/reservations
GET /api/v1/reservations/{reservation}/timeline
GET /api/v1/orders
GET /api/v1/sessions
GET /api/v1/switches
GET /api/v1/modules
GET /api/v1/modules/{module}/reports
POST /api/v1/modules/{module}/reports
GET /api/v1/modules/{module}/reports.csv
GET /operator/modules
GET /operator/modules/installs
GET /operator/modules/{module}/reports.csv
GET /api/v1/modules/{module}/log/downloads
GET /api/v1/modules/{module}/log/users
PUT /api/v1/offerings/{offering}/prices
POST /api/v1/vouchers
GET /api/v1/vouchers
POST /api/v1/vouchers/{voucher}/revoke
GET /api/v1/stores/{store}/entries
""".strip().splitlines()
"""Routes that no terminal has any business with."""
