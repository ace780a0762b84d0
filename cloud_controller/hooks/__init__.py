"""Webhooks go out: signed, to public addresses alone, again until they are taken."""

from cloud_controller.hooks.sender import HookSender, hooks_of

__all__ = ["HookSender", "hooks_of"]
