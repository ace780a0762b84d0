"""Who this PC is to the controller: its key, its enrolment, its credentials and their renewal."""

from edge_agent.enrolment.asking import Asking, enrol
from edge_agent.enrolment.credentials import Credentials
from edge_agent.enrolment.keys import kept_key
from edge_agent.enrolment.trust import tls_of

__all__ = ["Asking", "Credentials", "enrol", "kept_key", "tls_of"]
