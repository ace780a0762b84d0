"""What terminals call: who they are, and what they install."""

from __future__ import annotations

from typing import Final

from cloud_controller.web import enrolment, packages, reservations
from cloud_controller.web.routes import API, MANAGEMENT, Route, Who
from cloud_controller.web.table.paces import (
    ENROLMENTS_A_MINUTE,
    ENROLMENTS_A_MINUTE_IN_ALL,
    RENEWALS_A_MINUTE,
)

# fmt: off
TERMINAL_ROUTES: Final = (
    Route("GET", f"{API}/authority", enrolment.show_authority, Who.ANYBODY, MANAGEMENT,
          "Show the certificate by which a terminal knows us.", media_type=enrolment.PEM),
    Route("POST", f"{API}/enrolments", enrolment.enrol, Who.ANYBODY, MANAGEMENT,
          "Enrol a terminal with a one-time code.", asks=enrolment.EnrolmentAsked,
          answers=enrolment.Enrolment, status=reservations.CREATED,
          calls_a_minute=ENROLMENTS_A_MINUTE, calls_a_minute_in_all=ENROLMENTS_A_MINUTE_IN_ALL),
    Route("POST", f"{API}/terminals/{{terminal}}/credentials", enrolment.renew, Who.TERMINAL,
          MANAGEMENT, "Renew what a terminal proves itself by.",
          asks=enrolment.CredentialsWanted, answers=enrolment.Credentials,
          calls_a_minute=RENEWALS_A_MINUTE),

    # What terminals install.
    Route("GET", "/packages/metadata/{name}.json", packages.show_list, Who.ANYBODY, MANAGEMENT,
          "A signed list of packages."),
    Route("GET", "/packages/targets/{kind}/{package}/{file}", packages.send_archive,
          Who.PACKAGE_HOLDER, MANAGEMENT, "A package's archive, whole or from where one was cut.",
          media_type=packages.ZIP),
)
# fmt: on
