//! How a report looks: one sheet, light and dark by the reader's setting, light on paper.

/// Colours of controllers: told apart by people who see few colours too, and each with dashes of its own.
pub(super) const SERIES: usize = 10;

/// Dashes of lines, in the order of colours.
pub(super) const DASHES: [&str; SERIES] =
    ["none", "7 3", "2 3", "9 3 2 3", "none", "5 2", "1 3", "12 4", "4 2 1 2", "8 2 2 2"];

pub(super) const CSS: &str = r#"
:root{color-scheme:light dark;
--paper:#fff;--ink:#1c2430;--soft:#5a6675;--line:#d8dee6;--wash:#f4f6f9;--accent:#0b5fa5;--road:#b9c2cd;
--good:#1a7f4b;--bad:#b3261e;--green:#2a9d5c;--yellow:#e0a100;--red:#d0443c;--fwd:#0b5fa5;--bwd:#c2570c;
--s0:#0072b2;--s1:#d55e00;--s2:#008f68;--s3:#b5518c;--s4:#b98500;--s5:#4a90c2;--s6:#6a51a3;--s7:#8c5a2b;--s8:#3f4a57;--s9:#7fa015;
--a:#cfead6;--b:#e2f0c4;--c:#f8eeb0;--d:#fbd9a0;--e:#f7b79a;--f:#ee9a9a;--los:#1c2430}
@media (prefers-color-scheme:dark){:root{
--paper:#12161c;--ink:#e6eaf0;--soft:#9aa7b7;--line:#2d3641;--wash:#1a2029;--accent:#6db3f2;--road:#46515f;
--good:#5fd39a;--bad:#ff8a80;--green:#3fbf78;--yellow:#f2c14e;--red:#f0655c;--fwd:#6db3f2;--bwd:#f2a65a;
--s0:#5cb3e8;--s1:#ff8d4d;--s2:#3ccf9f;--s3:#e58fc4;--s4:#e6b93c;--s5:#9ccbf0;--s6:#b09df0;--s7:#cf9d6a;--s8:#b8c3d0;--s9:#b9d94a;
--a:#1d5a38;--b:#3f5d1f;--c:#665a16;--d:#774f12;--e:#7c3c1f;--f:#7d2a2a;--los:#f3f5f8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
-webkit-print-color-adjust:exact;print-color-adjust:exact}
main{max-width:1180px;margin:0 auto;padding:28px 28px 60px}
header p{margin:.2em 0;color:var(--soft)}
h1{font-size:1.15rem;font-weight:600;color:var(--soft);margin:0 0 .4em;letter-spacing:.01em}
h2{font-size:1.25rem;margin:2.2em 0 .5em;padding-top:.7em;border-top:1px solid var(--line)}
h3{font-size:1rem;margin:1.4em 0 .3em}
header .verdict{font-size:1.8rem;line-height:1.25;font-weight:650;margin:.1em 0 .35em;color:var(--ink)}
.verdict span{display:block;font-size:1rem;font-weight:400;color:var(--soft);margin-top:.25em}
.more{margin:.2em 0 0;padding-left:1.2em}.more li{margin:.15em 0}
.warn{color:var(--bad);font-weight:600}
nav{margin:1.2em 0 0;font-size:.92em}nav a{margin-right:1.1em;white-space:nowrap}
a{color:var(--accent)}
.note{color:var(--soft);font-size:.92em;max-width:75ch;margin:.3em 0 .8em}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:10px;margin:1.3em 0 0}
.card{background:var(--wash);border:1px solid var(--line);border-radius:8px;padding:10px 14px}
.card b{display:block;font-size:1.45rem;line-height:1.2;font-variant-numeric:tabular-nums}
.card span{color:var(--soft);font-size:.88em}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92em;margin:.3em 0}
caption{text-align:left;color:var(--soft);font-size:.95em;padding:.2em 0 .4em;caption-side:top}
th,td{padding:4px 8px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600}thead th{white-space:normal;max-width:8.5em;vertical-align:bottom;border-bottom:2px solid var(--line)}
table.wide{font-size:.8em}table.wide th,table.wide td{padding:4px 6px}
th:first-child,td.t{text-align:left}
tbody th{font-weight:500}th.group{text-align:left;color:var(--soft);font-weight:400;padding-top:.9em;white-space:normal}
td small,th small{color:var(--soft);font-weight:400}
.best{font-weight:700}.good{color:var(--good)}.bad{color:var(--bad)}
.scroll{overflow-x:auto}
figure{margin:.6em 0 1em}figcaption{color:var(--soft);font-size:.92em;margin-top:.2em;max-width:90ch}
svg{max-width:100%;height:auto;display:block}
svg text{fill:var(--ink);font:12px system-ui,"Segoe UI",Roboto,Arial,sans-serif}
svg .soft{fill:var(--soft)}svg .grid{stroke:var(--line);fill:none}svg .axis{stroke:var(--soft);fill:none}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(420px,1fr));gap:18px}
.three{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:14px}
.key{display:inline-flex;flex-wrap:wrap;gap:4px 18px;font-size:.92em;margin:.2em 0}
.key span{display:inline-flex;align-items:center;gap:6px}
.los{display:inline-block;min-width:1.7em;text-align:center;border-radius:4px;font-weight:700;color:var(--los);margin-right:.45em}
.n{display:inline-block;min-width:3.1em}.x{display:inline-block;min-width:4em;color:var(--soft);font-size:.88em}
.A{background:var(--a)}.B{background:var(--b)}.C{background:var(--c)}.D{background:var(--d)}.E{background:var(--e)}.F{background:var(--f)}
svg .A{fill:var(--a)}svg .B{fill:var(--b)}svg .C{fill:var(--c)}svg .D{fill:var(--d)}svg .E{fill:var(--e)}svg .F{fill:var(--f)}
svg .N{fill:var(--paper)}svg text.lt{fill:var(--los);font-weight:700}
dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:.4em 0;font-size:.95em}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
code{font:0.92em ui-monospace,SFMono-Regular,Consolas,monospace}
summary{cursor:pointer;color:var(--accent);margin:.4em 0}
@media print{:root{color-scheme:light;
--paper:#fff;--ink:#111;--soft:#444;--line:#bbb;--wash:#fff;--accent:#0b5fa5;--road:#aaa;
--good:#1a7f4b;--bad:#b3261e;--green:#2a9d5c;--yellow:#e0a100;--red:#d0443c;--fwd:#0b5fa5;--bwd:#c2570c;
--s0:#0072b2;--s1:#d55e00;--s2:#008f68;--s3:#b5518c;--s4:#b98500;--s5:#4a90c2;--s6:#6a51a3;--s7:#8c5a2b;--s8:#3f4a57;--s9:#7fa015;
--a:#cfead6;--b:#e2f0c4;--c:#f8eeb0;--d:#fbd9a0;--e:#f7b79a;--f:#ee9a9a;--los:#111}
@page{size:A4;margin:13mm}
body{font-size:9.5pt}main{max-width:none;padding:0}figure,tr,h2,h3{break-inside:avoid}h2,h3{break-after:avoid}nav{display:none}
.scroll{overflow:visible}table.wide{font-size:6pt}table.wide th,table.wide td{padding:2px}
details::details-content{content-visibility:visible;height:auto}summary{list-style:none}a{color:inherit;text-decoration:none}}
"#;
