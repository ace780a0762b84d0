"""What the controller switches itself, for devices of any terminal, also of one that is gone."""

from cloud_controller.actions.switches import BooksKeeper, Switches

__all__ = ["BooksKeeper", "Switches"]
