"""How the picture looks as SVG. The page has the same colours in page.css; each is read at 4.5 to 1 on its ground."""

from __future__ import annotations

#: Colours for light and for dark, and a pattern of the line for each state, so that colour is not all that tells.
STYLE = """
svg{--ground:#f6f7f9;--box:#fff;--edge:#ccd2da;--ink:#1b222c;--soft:#566171;
--up:#1b7a47;--down:#566171;--warn:#8f5200;--bad:#b3261e;--moved:#7440a8;--planned:#2458b3;--trunk:#98a2b0;
font:12px ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
@media (prefers-color-scheme:dark){svg{--ground:#12161b;--box:#1b2027;--edge:#38414d;--ink:#e7eaee;--soft:#a3adba;
--up:#55c78f;--down:#a3adba;--warn:#e8ab4f;--bad:#ff8f85;--moved:#c8a2f2;--planned:#8db6ff;--trunk:#66717f}}
.ground{fill:var(--ground)}.box{fill:var(--box);stroke:var(--edge)}.rule{stroke:var(--edge)}
.name{fill:var(--ink);font-weight:600;font-size:13px}.row{fill:var(--ink)}.more{fill:var(--soft);font-size:11px}
.link,.trunk{fill:none;stroke-width:1.75}.link{stroke:var(--state)}.trunk{stroke:var(--trunk)}
.state{fill:var(--state)}
svg *{--state:var(--soft)}.is-up,.is-up *{--state:var(--up)}.is-down,.is-down *{--state:var(--down)}
.is-expired,.is-expired *,.is-unfinished,.is-unfinished *{--state:var(--warn)}
.is-orphan,.is-orphan *,.is-missing,.is-missing *{--state:var(--bad)}.is-missing .box{stroke:var(--bad)}
.is-elsewhere,.is-elsewhere *{--state:var(--moved)}.is-planned,.is-planned *{--state:var(--planned)}
.link.is-down{stroke-dasharray:2 4}.link.is-expired,.link.is-unfinished,.link.is-elsewhere{stroke-dasharray:7 4}
.link.is-orphan,.link.is-missing{stroke-dasharray:7 3 1.5 3}
"""
