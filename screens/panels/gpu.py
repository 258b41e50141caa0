"""The devices of this machine: load, memory, temperature; the processor and its memory where there is no GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from genlab_tui.text import clean_text
from screens.panels.marks import bar, fit

if TYPE_CHECKING:
    from jobs.launcher import Device

GIGA = 1e9


def device_label(name: str) -> str:
    """Return `GPU0` for `cuda:0` and `CPU` for `cpu`."""
    return f"GPU{name.removeprefix('cuda:')}" if name.startswith("cuda:") else name.upper()


def load_line(devices: Sequence[Device], detail: int) -> str:
    """Return the load of the first GPU (or of the processor) for the header line; `detail` 0 to 2 says how much."""
    gpus = [d for d in devices if d.name != "cpu"]
    chosen = gpus[0] if gpus else next(iter(devices), None)
    if chosen is None:
        return ""
    parts = [device_label(chosen.name), _percent(chosen), _memory(chosen, 1) if detail == 2 else ""]
    if chosen.temperature is not None and detail:
        parts.append(f"{chosen.temperature:.0f}°C")
    if len(gpus) > 1:
        parts.append(f"+{len(gpus) - 1}")
    return " ".join(part for part in parts if part)


def _percent(device: Device) -> str:
    return "" if device.utilisation is None else f"{device.utilisation:.0%}"


def _memory(device: Device, digits: int) -> str:
    if device.memory_used is None or device.memory_total is None:
        return ""
    return f"{device.memory_used / GIGA:.{digits}f}/{device.memory_total / GIGA:.0f}G"


class Devices(Widget):
    """A row a device; says which are taken by others."""

    DEFAULT_CSS = """
    Devices { height: auto; max-height: 10; border-top: solid $border; border-title-color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.devices: tuple[Device, ...] = ()
        self.border_title = "Devices"

    def tell(self, devices: Sequence[Device]) -> None:
        """Show the devices as sampled now."""
        if self.devices != tuple(devices):
            more = len(devices) != len(self.devices)
            self.devices = tuple(devices)
            self.refresh(layout=more)

    def render(self) -> Content:
        width = self.size.width
        if not self.devices:
            return Content.styled("looking at the devices", "$foreground-muted")
        return Content("\n").join([self._row(device, width) for device in self.devices])

    def _row(self, device: Device, width: int) -> Content:
        load = device.utilisation or 0.0
        heat = f"{device.temperature:.0f}°C" if device.temperature is not None else ""
        name = f"{device_label(device.name):<5}"
        tail = [(f" {_percent(device):>4}", "$text-warning" if load >= 0.9 else "$foreground")]
        for text, room in ((f" {_memory(device, 1):>11}", 32), (f" {heat:>5}", 38), (_use(device), 54)):
            tail += [(text, "$foreground-muted")] if width >= room else []
        left = width - len(name) - sum(len(text) for text, _ in tail)
        row = Content.assemble(name, bar(load, min(max(left, 4), 20)), *tail)
        spare = width - row.cell_length - 2
        title = Content.styled("  " + fit(clean_text(device.title, 60), spare), "$foreground-muted")
        return row + title if spare > 12 else row


def _use(device: Device) -> str:
    taken = f"  {device.busy_slots} of {device.slots} busy"
    return f"{'  in use by others' if device.used_by_others else taken:<18}"
