// How the prompt looks. Constructable stylesheets and CSSOM only, so that a strict style-src is not violated.
//
// Themable from outside: the custom properties --changeover-* below, and ::part(panel, title, message, trouble, waiting,
// countdown, progress, reload, later).

const SHEET = `
:host{
all:initial!important;
--bg:var(--changeover-background,#fff);--ink:var(--changeover-text,#1a1d23);--soft:var(--changeover-muted,#5a616e);
--line:var(--changeover-border,rgb(17 24 39/.14));--tint:var(--changeover-tint,#eef1fb);
--accent:var(--changeover-accent,#3350c8);--on-accent:var(--changeover-on-accent,#fff);
--alarm:var(--changeover-warning,#9a3412);
--shadow:var(--changeover-shadow,0 1px 2px rgb(16 24 40/.06),0 4px 8px -2px rgb(16 24 40/.06),0 20px 40px -8px rgb(16 24 40/.18));
--radius:var(--changeover-radius,.875em);--gap:var(--changeover-offset,1.25em);
display:block!important;position:fixed!important;z-index:2147483647!important;box-sizing:border-box!important;
inset-block:auto max(var(--gap),env(safe-area-inset-bottom))!important;inset-inline:auto max(var(--gap),env(safe-area-inset-right))!important;
width:min(var(--changeover-width,24em),100vw - 2*var(--gap))!important;max-height:calc(100vh - 2*var(--gap))!important;
overflow:visible!important;pointer-events:auto!important;
font:400 medium/1.5 var(--changeover-font,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif)!important;
color:var(--ink)!important;
}
@media (prefers-color-scheme:dark){:host{
--bg:var(--changeover-background,#1d2026);--ink:var(--changeover-text,#f1f3f7);--soft:var(--changeover-muted,#a9b1bf);
--line:var(--changeover-border,rgb(255 255 255/.18));--tint:var(--changeover-tint,#2a3048);
--accent:var(--changeover-accent,#a9bbff);--on-accent:var(--changeover-on-accent,#141a33);--alarm:var(--changeover-warning,#fdba8c);
--shadow:var(--changeover-shadow,0 1px 2px rgb(0 0 0/.3),0 20px 48px -8px rgb(0 0 0/.6));
}}
[part=panel]{
position:relative;box-sizing:border-box;display:grid;grid-template-columns:auto minmax(0,1fr);column-gap:.875em;
max-height:inherit;overflow:auto;overscroll-behavior:contain;padding-block:1.125em;padding-inline:1.125em 1.25em;
background:var(--bg);border:1px solid var(--line);border-radius:var(--radius);box-shadow:var(--shadow);
text-align:start;overflow-wrap:anywhere;
animation:arrive .32s cubic-bezier(.2,.9,.3,1) both;
}
svg{width:1.25em;height:1.25em;padding:.5em;border-radius:.625em;background:var(--tint);color:var(--accent)}
p{margin:0}
[hidden]{display:none!important}
[part=title]{font-size:.9375em;font-weight:600;line-height:1.4;text-wrap:balance}
[part=message],[part=trouble],[part=waiting],[part=countdown]{font-size:.875em;color:var(--soft)}
[part=message]{margin-block-start:.125em;white-space:pre-line}
[part=trouble],[part=waiting]{margin-block-start:.5em}
[part=trouble]{color:var(--alarm);padding-inline-start:.75em;border-inline-start:3px solid currentColor}
[part=waiting]{display:flex;gap:.625em;color:var(--ink)}
[part=waiting]::before{content:"";flex:none;box-sizing:border-box;width:.9375em;height:.9375em;margin-block-start:.28em;
border:2px solid var(--line);border-block-start-color:var(--accent);border-radius:50%;animation:turn .9s linear infinite}
[part=countdown]{margin-block-start:.5em;font-variant-numeric:tabular-nums}
[part=progress]{height:3px;margin-block-start:.375em;border-radius:2px;background:var(--line);overflow:hidden}
i{display:block;height:100%;border-radius:inherit;background:var(--accent);transform-origin:left;transition:transform 1s linear}
[dir=rtl] i{transform-origin:right}
.actions{grid-column:2;display:flex;flex-wrap:wrap;gap:.5em;margin-block-start:.875em}
button{
appearance:none;box-sizing:border-box;margin:0;padding:.4375em 1em;min-height:2.25em;min-width:4.5em;
font:inherit;font-size:.875em;font-weight:600;line-height:1.35;color:var(--ink);
background:transparent;border:1px solid var(--line);border-radius:calc(var(--radius)*.64);cursor:pointer;
transition:filter .15s;
}
button:hover{background:var(--tint)}
[part=reload]{color:var(--on-accent);background:var(--accent);border-color:transparent}
[part=reload]:hover{background:var(--accent);filter:brightness(1.08)}
button:active{filter:brightness(.94)}
button:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
button[aria-disabled=true]{opacity:.6;cursor:default;filter:none}
.spoken{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@keyframes arrive{from{opacity:0;transform:translateY(.75em)}}
@keyframes turn{to{transform:rotate(1turn)}}
@media (pointer:coarse){button{min-height:44px;min-width:44px;padding-block:.625em}}
@media (max-width:30em){
:host{inset-inline:0!important;inset-block-end:0!important;width:auto!important;max-width:none!important;max-height:85vh!important}
[part=panel]{border-width:1px 0 0;border-radius:calc(var(--radius)*1.3) calc(var(--radius)*1.3) 0 0;padding-block-end:max(1.25em,env(safe-area-inset-bottom));padding-inline:1.25em}
.actions{grid-column:1/-1;margin-block-start:1em}
button{flex:1 1 8em;min-height:44px}
}
@media (prefers-reduced-motion:reduce){
[part=panel]{animation:none}
i,button{transition:none}
[part=waiting]::before{animation-duration:4s}
}
@media (forced-colors:active){
[part=panel]{border:2px solid CanvasText;background:Canvas}
svg{background:none;color:CanvasText}
button,[part=reload]{border:1px solid ButtonText;background:ButtonFace;color:ButtonText}
[part=reload]{border-width:2px}
button:hover{border-color:Highlight;background:ButtonFace}
button:focus-visible{outline-color:Highlight}
button[aria-disabled=true]{color:GrayText;border-color:GrayText;opacity:1}
[part=waiting]::before{border-block-start-color:Canvas}
[part=progress]{border:1px solid CanvasText}
i{background:Highlight;forced-color-adjust:none}
}
@media print{:host{display:none!important}}
`;

/** For browsers before constructable stylesheets (2023): plain, but in its place and readable. */
const PLAIN_HOST =
  'position:fixed;z-index:2147483647;top:auto;left:auto;right:16px;bottom:16px;width:auto;max-width:24em;margin:0;padding:0;border:0;background:none;font:16px/1.5 system-ui,sans-serif';
const PLAIN_PANEL = 'padding:16px;border:1px solid #c5cad3;border-radius:12px;background:#fff;color:#1a1d23';
const PLAIN_SPOKEN = 'position:absolute;width:1px;height:1px;overflow:hidden;clip:rect(0 0 0 0);white-space:nowrap';

/** @type {CSSStyleSheet | undefined} */
let sheet;

/**
 * Styles the prompt in `root` with whatever the browser has.
 *
 * @param {ShadowRoot} root
 * @param {{ panel: HTMLElement, picture: SVGElement, spoken: HTMLElement }} parts
 */
export function applyStyle(root, { panel, picture, spoken }) {
  try {
    if (!sheet) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(SHEET);
    }
    root.adoptedStyleSheets = [sheet];
  } catch {
    sheet = undefined;
    /** @type {HTMLElement} */ (root.host).style.cssText = PLAIN_HOST;
    panel.style.cssText = PLAIN_PANEL;
    spoken.style.cssText = PLAIN_SPOKEN;
    picture.style.display = 'none';
  }
}
