"""The lab's own themes: dark, light, and one for 16 colours; Textual's come with the app."""

from __future__ import annotations

from textual.theme import Theme

TERMINAL_THEMES = frozenset({"ansi-dark", "ansi-light", "textual-ansi"})
"""Textual's themes in the colours of the terminal: without colours (`NO_COLOR`) they are black on black."""
THEMES: tuple[Theme, ...] = (
    Theme(
        name="genlab-dark",
        primary="#5AA9E6",
        secondary="#7C8DB5",
        accent="#F2B880",
        success="#7BC8A4",
        warning="#E8C468",
        error="#E5707E",
        foreground="#D5DAE3",
        background="#10141B",
        surface="#161B24",
        panel="#1E2530",
        dark=True,
        variables={
            "block-cursor-background": "#2A4A6B",
            "block-cursor-foreground": "#FFFFFF",
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": "#232C3A",
            "block-cursor-blurred-foreground": "#D5DAE3",
            "block-cursor-blurred-text-style": "none",
            "border": "#3A4658",
            "border-blurred": "#3A4658",
        },
    ),
    Theme(
        name="genlab-light",
        primary="#1F6FB2",
        secondary="#5B6B8C",
        accent="#B4541A",
        success="#23815A",
        warning="#9A6B00",
        error="#B3313F",
        foreground="#1F2630",
        background="#FBFAF7",
        surface="#F3F1EC",
        panel="#E6E3DB",
        dark=False,
        variables={
            "block-cursor-background": "#CBE0F2",
            "block-cursor-foreground": "#0F2A42",
            "block-cursor-text-style": "none",
            "block-cursor-blurred-background": "#E9E6DE",
            "block-cursor-blurred-foreground": "#1F2630",
            "block-cursor-blurred-text-style": "none",
            "border": "#B9B4A7",
            "border-blurred": "#B9B4A7",
        },
    ),
)
SIXTEEN = Theme(
    name="genlab-16",
    primary="#55FFFF",
    secondary="#00AAAA",
    accent="#FFFF55",
    success="#55FF55",
    warning="#AA5500",
    error="#FF5555",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    variables={
        "block-cursor-background": "#0000AA",
        "block-cursor-foreground": "#FFFFFF",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-background": "#555555",
        "block-cursor-blurred-foreground": "#FFFFFF",
        "block-cursor-blurred-text-style": "none",
        "border": "#555555",
        "border-blurred": "#555555",
        "text-muted": "#AAAAAA",
        "text-disabled": "#AAAAAA",
        "foreground-muted": "#AAAAAA",
        "foreground-disabled": "#AAAAAA",
        "text-primary": "#55FFFF",
        "text-secondary": "#00AAAA",
        "text-accent": "#FFFF55",
        "text-success": "#55FF55",
        "text-warning": "#AA5500",
        "text-error": "#FF5555",
    },
)
"""Colours that a terminal of 16 has as they are: rounded ones would all be grey."""
