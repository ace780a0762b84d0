"""Packages of programs and modules: made, signed, kept fresh and served."""

from cloud_controller.packages.publishing import Archive, pack
from cloud_controller.packages.repository import Repository

__all__ = ["Archive", "Repository", "pack"]
