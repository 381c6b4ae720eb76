// The style sheet of the receipt page: light and dark, screen and paper. Bars are SVG, because browsers print no backgrounds.

export const STYLE = `
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5a6b7b;--line:#dde4ea;--page:#f3f6f8;--card:#fff;--rest:#e6ecf0;--code:#eef3f6;
--good:#1a7f5a;--goodbg:#e7f5ef;--bad:#b8372b;--badbg:#fbecea;--mixed:#9a6200;--mixedbg:#fdf3df;--neutral:#2c6591;--neutralbg:#e8f1f8}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa9b7;--line:#2c3946;--page:#10171d;--card:#182129;--rest:#2a3641;--code:#202c36;
--good:#4fc896;--goodbg:#12312a;--bad:#ff8a7c;--badbg:#3a1f1d;--mixed:#f0b44c;--mixedbg:#352811;--neutral:#7fbdf0;--neutralbg:#162c3e}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{max-width:52rem;margin:0 auto;padding:1.5rem 1rem 3rem}
header{display:flex;align-items:center;gap:.6rem;color:var(--soft);margin-bottom:1rem;flex-wrap:wrap}
header strong{color:var(--ink)}.when{margin-left:auto;font-size:.9rem}
.logo{width:1.6rem;height:1.6rem;fill:none;stroke:var(--neutral);stroke-width:2;stroke-linecap:round}
section,details{background:var(--card);border:1px solid var(--line);border-radius:.8rem;padding:1.25rem 1.5rem;margin:0 0 1rem}
.hero{border-left:.4rem solid var(--tone);padding:1.5rem}
.hero.good{--tone:var(--good);--tonebg:var(--goodbg)}.hero.bad{--tone:var(--bad);--tonebg:var(--badbg)}
.hero.mixed{--tone:var(--mixed);--tonebg:var(--mixedbg)}.hero.neutral{--tone:var(--neutral);--tonebg:var(--neutralbg)}
.file{margin:0 0 .4rem;color:var(--soft);overflow-wrap:anywhere}
h1{display:flex;gap:.8rem;align-items:flex-start;font-size:1.65rem;line-height:1.25;margin:0;font-weight:650;text-wrap:balance}
.mark{flex:none;width:2.1rem;height:2.1rem;border-radius:50%;display:grid;place-items:center;font-size:1.15rem;background:var(--tonebg);color:var(--tone);font-weight:700}
.detail{margin:.7rem 0 0;font-size:1.05rem;overflow-wrap:anywhere}
.split,.bar{display:block;width:100%;height:.75rem;border-radius:.375rem;overflow:hidden}.bar{height:.5rem}
.hero>.split{margin-top:1.25rem}
rect.good{fill:var(--good)}rect.bad{fill:var(--bad)}rect.rest{fill:var(--rest)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.5rem 1rem;margin:1rem 0 0}
.tiles dt{color:var(--soft);font-size:.85rem}.tiles dd{margin:0;font-size:1.55rem;line-height:1.2;font-weight:600;font-variant-numeric:tabular-nums}
.tiles .good dd{color:var(--good)}.tiles .bad dd{color:var(--bad)}
.repaired{margin-top:1.1rem;padding-top:1rem;border-top:1px solid var(--line);display:grid;gap:.4rem}
h2{font-size:1.1rem;margin:0 0 .7rem}
.steps{margin:0;padding-left:1.3rem}ul.steps{list-style:none;padding-left:0}.steps li{margin:.4rem 0}
.command{display:block;margin:.35rem 0 .2rem;padding:.5rem .75rem;background:var(--code);border-radius:.4rem;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.88em;overflow-wrap:anywhere}
.quiet{color:var(--soft);font-size:.9rem;margin:.6rem 0 0}h2+.quiet{margin:-.4rem 0 .7rem}
.bars{list-style:none;margin:0;padding:0;display:grid;gap:1rem}.bars p{margin:.25rem 0 0;color:var(--soft);font-size:.92rem;overflow-wrap:anywhere}
.label{display:flex;justify-content:space-between;gap:1rem;margin-bottom:.25rem}.rule{color:var(--soft);margin-left:.4rem}.count{font-variant-numeric:tabular-nums;font-weight:600}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.94rem}
th{text-align:left;font-weight:600;color:var(--soft);font-size:.85rem}th,td{padding:.45rem .75rem .45rem 0;vertical-align:top;border-top:1px solid var(--line)}
thead th{border-top:0}td{overflow-wrap:anywhere}td:nth-child(2){overflow-wrap:break-word}.row{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;padding-right:1rem}
tr.again td{border-top-color:transparent}.same{opacity:.45}
.value{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.88em;white-space:pre-wrap;max-width:18rem}
.none{font-family:system-ui,sans-serif;font-style:italic;color:var(--soft)}
details{padding:.8rem 1.5rem}summary{cursor:pointer;font-weight:600}summary .count{color:var(--soft);font-weight:400;margin-left:.3rem}
details ul{padding-left:1.2rem;margin:.7rem 0 .3rem}details li{margin:.3rem 0;overflow-wrap:anywhere}
.facts{margin:.8rem 0 .3rem;display:grid;gap:.35rem}.facts div{display:grid;grid-template-columns:13rem 1fr;gap:1rem}.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:.85rem;text-align:center;margin-top:1.5rem}
@media (max-width:34rem){.facts div{grid-template-columns:1fr;gap:0}h1{font-size:1.35rem}section,.hero{padding:1.1rem}.when{margin-left:0;width:100%}}
@media print{:root{--page:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--good:#1a7f5a;--bad:#b8372b;--rest:#e6ecf0}
body{font-size:11pt}main{max-width:none;padding:0}section,details{break-inside:avoid;padding:.8rem 1rem}.rows{break-inside:auto}tr{break-inside:avoid}
details::details-content{content-visibility:visible;block-size:auto}rect,.mark{print-color-adjust:exact}}
`
