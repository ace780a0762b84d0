"""The bridge to Home Assistant: what it finds at our broker, and what its buttons do."""

from cloud_controller.home.bridge import ACCOUNT, BRIDGE, Bridge, accounts_of, bridge_of

__all__ = ["ACCOUNT", "BRIDGE", "Bridge", "accounts_of", "bridge_of"]
