"""The line drawings of the site: each is the inside of a 24 × 24 SVG, stroked and not filled."""

from __future__ import annotations

ICONS: dict[str, str] = {
    "logo": '<rect x="2.5" y="3.5" width="8" height="6.5" rx="1.5"/>'
    '<rect x="13.5" y="14" width="8" height="6.5" rx="1.5" fill="currentColor"/>'
    '<path d="M10.5 6.75h3.2c2.1 0 3.8 1.7 3.8 3.8V14"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "close": '<path d="M6 6l12 12M18 6L6 18"/>',
    "check": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "chevron-down": '<path d="M7 10l5 5 5-5"/>',
    "arrow-right": '<path d="M5 12h14M13 6l6 6-6 6"/>',
    "arrow-left": '<path d="M19 12H5M11 6l-6 6 6 6"/>',
    "arrow-up": '<path d="M12 19V5M6 11l6-6 6 6"/>',
    "arrow-down": '<path d="M12 5v14M6 13l6 6 6-6"/>',
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "trash": '<path d="M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5"/>',
    "copy": '<rect x="9" y="9" width="11" height="11" rx="1.5"/>'
    '<path d="M5.5 15H4V5.5A1.5 1.5 0 015.5 4H15v1.5"/>',
    "search": '<circle cx="11" cy="11" r="6"/><path d="M15.5 15.5L20 20"/>',
    "sun": '<circle cx="12" cy="12" r="4"/>'
    '<path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4'
    'M18.4 5.6L17 7M7 17l-1.4 1.4"/>',
    "moon": '<path d="M19.5 14.2A7.8 7.8 0 019.8 4.5a7.8 7.8 0 109.7 9.7z"/>',
    "monitor": '<rect x="3" y="4.5" width="18" height="12" rx="1.5"/>'
    '<path d="M9 20h6M12 16.5V20"/>',
    "user": '<circle cx="12" cy="8" r="3.5"/><path d="M5 20c.8-3.6 3.4-5.4 7-5.4s6.2 1.8 7 5.4"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 8v.01"/>',
    "success": '<circle cx="12" cy="12" r="8.5"/><path d="M8 12.4l2.7 2.7L16 9.6"/>',
    "warning": '<path d="M12 4l9 15.5H3L12 4zM12 10v4.5M12 17v.01"/>',
    "error": '<path d="M8.4 3.5h7.2l4.9 4.9v7.2l-4.9 4.9H8.4l-4.9-4.9V8.4zM12 8v5M12 16v.01"/>',
    "spark": '<path d="M12 3.5l1.9 6.6 6.6 1.9-6.6 1.9L12 20.5l-1.9-6.6L3.5 12l6.6-1.9z"/>',
    "overview": '<rect x="3.5" y="3.5" width="7" height="9" rx="1.5"/>'
    '<rect x="13.5" y="3.5" width="7" height="5" rx="1.5"/>'
    '<rect x="13.5" y="11.5" width="7" height="9" rx="1.5"/>'
    '<rect x="3.5" y="15.5" width="7" height="5" rx="1.5"/>',
    "pipeline": '<rect x="3" y="4" width="6.5" height="5.5" rx="1.2"/>'
    '<rect x="14.5" y="14.5" width="6.5" height="5.5" rx="1.2"/>'
    '<path d="M9.5 6.75h4.2c2.2 0 4 1.8 4 4v3.75"/>',
    "signature": '<path d="M3.5 8h6M3.5 16h6M14.5 12h6M9.5 8c3 0 2 4 5 4M9.5 16c3 0 2-4 5-4"/>',
    "module": '<path d="M12 3.2l8 4.4v8.8l-8 4.4-8-4.4V7.6zM4 7.6l8 4.4 8-4.4M12 12v8.8"/>',
    "dataset": '<rect x="3.5" y="4.5" width="17" height="15" rx="1.5"/>'
    '<path d="M3.5 9.5h17M3.5 14.5h17M9.5 9.5v10"/>',
    "metric": '<path d="M4 17.5a8.5 8.5 0 1116 0M12 16.5l4-6"/>'
    '<circle cx="12" cy="16.5" r="1.3"/>',
    "lm": '<rect x="6.5" y="6.5" width="11" height="11" rx="1.5"/>'
    '<path d="M10 3v3.5M14 3v3.5M10 17.5V21M14 17.5V21M3 10h3.5M3 14h3.5M17.5 10H21M17.5 14H21"/>',
    "run": '<path d="M7.5 5l11 7-11 7z"/>',
    "review": '<path d="M4 5.5h10M4 10h7M4 14.5h5M11.5 16l3 3L20.5 11"/>',
    "release": '<path d="M4 12V5.5A1.5 1.5 0 015.5 4H12l8 8-8 8z"/>'
    '<circle cx="8.3" cy="8.3" r="1.2"/>',
    "key": '<circle cx="8" cy="15.5" r="4.2"/><path d="M11 12.5L19.5 4M16 7.5l3 3M13.5 10l2 2"/>',
    "members": '<circle cx="9" cy="8.5" r="3.2"/><path d="M3 19.5c.6-3.2 2.8-4.8 6-4.8'
    's5.4 1.6 6 4.8"/>'
    '<path d="M15.5 5.6a3.2 3.2 0 010 5.8M17.5 15c2 .6 3.1 2.1 3.5 4.5"/>',
    "projects": '<path d="M3.5 7A1.5 1.5 0 015 5.5h4.5l2 2.5H19A1.5 1.5 0 0120.5 9.5V17'
    'a1.5 1.5 0 01-1.5 1.5H5A1.5 1.5 0 013.5 17z"/>',
    "download": '<path d="M12 4.5V15.5M7 11l5 5 5-5M4.5 16v3.5h15V16"/>',
    "upload": '<path d="M12 16V5M7 9.5L12 4.5l5 5M4.5 16v3.5h15V16"/>',
    "compile": '<path d="M4 6h6l4 6h6M4 18h6l4-6M17 9l3 3-3 3"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.3l3.5 2"/>',
    "eye": '<path d="M2.8 12C5 8 8.2 6 12 6s7 2 9.2 6c-2.2 4-5.4 6-9.2 6s-7-2-9.2-6z"/>'
    '<circle cx="12" cy="12" r="2.7"/>',
}
