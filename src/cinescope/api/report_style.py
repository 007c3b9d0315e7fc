"""How the pages of trained models look. Knows nothing of models."""

from cinescope.api.report_plots import COLOURS, PLOT_STYLE

STYLE = (
    COLOURS
    + """
*{box-sizing:border-box}
html{color-scheme:light dark}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.top{background:linear-gradient(120deg,#22305e 0%,#57407a 45%,#c4627a 80%,#f2a96b 100%);color:#fff;
padding:40px 24px 44px}
.top>div{max-width:1120px;margin:0 auto}main{max-width:1168px;margin:0 auto}
.nowrap{white-space:nowrap}.fit{width:fit-content;max-width:100%}
.top h1{font-size:38px;line-height:1.1;margin:0 0 8px;letter-spacing:-.02em;overflow-wrap:anywhere}
.top p{margin:0;max-width:720px;opacity:.93;font-size:17px}
.facts{display:flex;gap:14px 34px;margin-top:24px;flex-wrap:wrap}
.facts b{display:block;font-size:23px;line-height:1.15}.facts span{opacity:.88;font-size:13.5px}
main{padding:10px 24px 60px}
h2{font-size:22px;margin:34px 0 6px;letter-spacing:-.01em}
h2+p{margin:0 0 14px;color:var(--soft);max-width:760px}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:16px 18px}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(340px,100%),1fr));gap:16px}
.wide{overflow-x:auto}
.note{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--accent);border-radius:8px;
padding:9px 14px;margin:12px 0 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}
th,td{text-align:right;padding:7px 10px;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left}thead th{color:var(--soft);font-weight:500;font-size:14px}
tr:last-child th,tr:last-child td{border-bottom:0}
tbody th{font-weight:500}tr.main th,tr.main td{font-weight:650}
td.said,th.said{text-align:left;color:var(--soft);font-size:15px}
.range{position:relative;height:18px;min-width:120px}
.range i{position:absolute;top:8px;height:3px;background:var(--good);border-radius:2px;opacity:.55}
.range b{position:absolute;top:4px;width:11px;height:11px;margin-left:-5px;border-radius:50%;background:var(--good)}
.confusion{width:auto;font-size:var(--size)}
.confusion th,.confusion td{border:1px solid var(--card);padding:0;text-align:center;min-width:var(--cell);
height:var(--cell)}
.confusion td{background:color-mix(in srgb,var(--tone) var(--p,0%),color-mix(in srgb,var(--line) 35%,var(--card)));
border-radius:3px;padding:0 3px}
.confusion td.ok{--tone:var(--good)}.confusion td.no{--tone:var(--accent)}.confusion td.hi{color:#fff}
.confusion tbody th{text-align:right;padding:0 8px;white-space:nowrap;position:sticky;left:0;background:var(--card);
font-weight:400;max-width:190px;overflow:hidden;text-overflow:ellipsis}
.confusion thead th{vertical-align:bottom;color:var(--ink);font-size:inherit}
.confusion thead span{writing-mode:vertical-rl;transform:rotate(180deg);padding:6px 0;max-height:130px;overflow:hidden;
white-space:nowrap;text-overflow:ellipsis}
.share{display:inline-block;width:74px;height:8px;border-radius:4px;background:var(--line);margin-left:8px;
vertical-align:1px;overflow:hidden}.share i{display:block;height:100%;background:var(--good)}
.errors{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(250px,100%),1fr));gap:14px}
.error{background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:hidden;display:flex;
flex-direction:column}
.error video,.error img{width:100%;aspect-ratio:16/9;object-fit:contain;background:#0c0f18;display:block}
.error img.strip{aspect-ratio:auto;max-height:110px}
.error audio{width:100%;display:block;padding:10px 10px 0;height:52px}
.error div{padding:10px 14px 12px}.error p{margin:0 0 4px}
.error b.is{color:var(--good)}.error b.told{color:var(--accent)}
.error blockquote{margin:0 0 6px;font-size:15px;max-height:7.5em;overflow:auto}
.error small,.small{color:var(--soft);font-size:13px;overflow-wrap:anywhere}
ol.steps{margin:0;padding-left:22px}code{background:color-mix(in srgb,var(--soft) 14%,transparent);border-radius:5px;
padding:1px 6px;font-size:14px}
footer{color:var(--soft);font-size:14px;border-top:1px solid var(--line);padding-top:16px;margin-top:36px}
@media(max-width:640px){.top{padding:30px 18px 32px}.top h1{font-size:29px}main{padding:4px 16px 40px}
.facts{gap:12px 22px}.facts b{font-size:19px}
th,td{padding:6px 6px}.card{padding:14px 12px}.share{display:none}.confusion th,.confusion td{padding:0 2px}
table.variants,table.variants tbody,table.variants tr,table.variants td,table.variants th{display:block;text-align:left;
border:0;padding:1px 0}table.variants thead{display:none}table.variants tr{padding:9px 0;
border-bottom:1px solid var(--line)}
table.variants td:empty{display:none}table.variants td[data-of]:before{content:attr(data-of) " ";color:var(--soft)}}
"""
    + PLOT_STYLE
    + "@media(max-width:640px){svg.plot{font-size:15px}}"
)
