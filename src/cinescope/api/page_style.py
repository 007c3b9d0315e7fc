"""How pages look and what happens on a click. Knows nothing about videos."""

STYLE = """
:root{--ink:#1c2234;--soft:#5d6478;--line:#e4e1da;--paper:#faf8f4;--card:#fff;--accent:#c8432f;--gold:#f3b562}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
a{color:inherit;text-decoration:none}
.top{background:linear-gradient(120deg,#22305e 0%,#57407a 45%,#c4627a 80%,#f2a96b 100%);color:#fff;
padding:52px 24px 60px}
.top>div{max-width:1120px;margin:0 auto}
main{max-width:1168px;margin:0 auto}
.top h1{font-size:42px;line-height:1.1;margin:0 0 10px;letter-spacing:-.02em}
.top p{margin:0;max-width:640px;opacity:.92;font-size:18px}
.facts{display:flex;gap:34px;margin-top:28px;flex-wrap:wrap}
.facts b{display:block;font-size:26px;line-height:1.1}
.facts span{opacity:.85;font-size:14px}
main{padding:34px 24px 70px}
h2{font-size:24px;margin:38px 0 14px;letter-spacing:-.01em}
section{margin:0 0 30px}
.query{display:flex;align-items:center;gap:12px;background:var(--card);border:1px solid var(--line);border-radius:999px;
padding:10px 20px;box-shadow:0 1px 3px #1c223412;margin-bottom:14px;flex-wrap:wrap}
.query b{font-size:17px}.query em{margin-left:auto;font-style:normal;color:var(--soft);font-size:14px}
.query img{height:58px;border-radius:8px;display:block}
.glass{width:13px;height:13px;border:2.5px solid var(--accent);border-radius:50%;position:relative;flex:none}
.glass:after{content:"";position:absolute;width:7px;height:2.5px;background:var(--accent);right:-6px;bottom:-4px;
transform:rotate(45deg);border-radius:2px}
.hits{display:grid;grid-template-columns:repeat(auto-fill,minmax(310px,1fr));gap:16px}
.hit{background:var(--card);border:1px solid var(--line);border-radius:14px;overflow:hidden;display:block;
box-shadow:0 1px 3px #1c223412;transition:transform .15s,box-shadow .15s}
.one{grid-template-columns:1fr}.one .hit{display:flex}.one .frame{width:330px;flex:none}.one .words{padding:18px 24px}
.hit:hover{transform:translateY(-3px);box-shadow:0 10px 24px #1c22341f}
.frame{position:relative;aspect-ratio:16/9;background:#dcd8d0}
.frame img,.blank{width:100%;height:100%;object-fit:cover;display:block}
.blank{background:linear-gradient(135deg,#39406a,#c4627a)}
.time{position:absolute;right:10px;top:10px;background:#14182ad9;color:#fff;border-radius:6px;padding:1px 8px;
font-size:13px;font-variant-numeric:tabular-nums}
.time:before{content:"\\25B6";font-size:10px;margin-right:6px}
.words{padding:12px 16px 14px}.words h3{margin:0 0 6px;font-size:16px}
.words p{margin:0 0 6px;font-size:15px}
.words code,.small code{font-size:12px;color:var(--soft)}
mark{background:#ffe2a8;color:inherit;border-radius:3px;padding:0 2px}
.badge{font-size:11px;border-radius:5px;padding:2px 7px;margin-right:6px;background:#e9e6f5;
color:#4a3c86;white-space:nowrap}
.badge.screen{background:#dff0ea;color:#1d6a50}.badge.note,.badge.tag{background:#fdeecb;color:#84570a}
.badge.title,.badge.chapter{background:#eceef2;color:#505a70}
.none{background:var(--card);border:1px dashed #cfc9be;border-radius:14px;padding:18px 22px;color:var(--soft);margin:0}
article{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:18px 20px;margin-bottom:18px;
box-shadow:0 1px 3px #1c223412}
article header{display:flex;justify-content:space-between;align-items:baseline;gap:14px;margin-bottom:10px;
flex-wrap:wrap}
article h3{margin:0;font-size:18px}article header span{color:var(--soft);font-size:14px}
.film{display:flex;gap:8px;margin-left:64px;flex-wrap:wrap}
.film a{width:178px;aspect-ratio:16/9;border-radius:8px;overflow:hidden;position:relative}
.film .time{font-size:11px;right:5px;top:5px;padding:0 6px}
.film img{width:100%;height:100%;object-fit:cover;display:block}
.strip{display:flex;align-items:center;margin-top:6px}
.strip>span{width:64px;font-size:12px;color:var(--soft);flex:none}
.strip>div{position:relative;height:12px;flex:1;background:#f1eee8;border-radius:6px;overflow:hidden}
.strip a{position:absolute;top:0;bottom:0;border-radius:4px;background:#7a6bc0}
.strip a.shot{background:#c9c3d8;border-right:2px solid #f1eee8;border-radius:0}
.strip a.screen{background:#4fae8b;opacity:.75}.strip a.voice{background:#f0a25e}
.strip a{overflow:hidden;font-size:10px;line-height:14px;color:#fff;text-indent:5px;white-space:nowrap}
.strip.colours>div{height:26px}.strip i{position:absolute;top:0;bottom:0}
.strip.camera>div,.strip.sounds>div{height:14px}.strip a.move{background:#6b8794;text-align:center;text-indent:0}
.strip a.face{background:#e296b2;opacity:.7}.strip a.fault{background:#d8463c}
.strip a.sound-speech{background:#f0a25e;color:#4a2a0c}.strip a.sound-music{background:#8b7cd6}
.strip a.sound-noise{background:#9aa1ad}.strip a.sound-applause{background:#f3c462;color:#4a3a0c}
.strip.loudness>div{height:26px}.strip svg{width:100%;height:100%;display:block;fill:#68a8c8}
a.wall{color:var(--accent);margin-left:8px}
.lines{margin-top:12px;columns:2;column-gap:28px;font-size:14px}
.lines a{display:block;break-inside:avoid;padding:3px 6px;border-radius:6px}.lines a:hover{background:#f5f1ea}
.lines time{display:inline-block;width:44px;color:var(--soft);font-variant-numeric:tabular-nums}
.moment{max-width:860px}.moment h1{margin:0}.moment>p{color:var(--soft)}.moment .lines{columns:1;font-size:15px}
.moment .here{background:#fff0cf}
video{width:100%;border-radius:12px;background:#000;display:block}
dialog{border:0;padding:0;border-radius:14px;background:#000;width:min(960px,94vw);box-shadow:0 30px 80px #000a}
dialog::backdrop{background:#0b0e1acc}
footer{color:var(--soft);font-size:14px;border-top:1px solid var(--line);padding-top:18px;margin-top:36px}
footer code,.top code{background:#0000000f;border-radius:5px;padding:2px 6px}
@media(max-width:640px){
.one .hit{display:block}.one .frame{width:auto}.lines{columns:1}.film,.strip>span{margin-left:0}.top h1{font-size:32px}}
"""

PLAYER = '<dialog id="player"><video controls></video></dialog>'

# Without scripts the links still work: they lead to the file and its second.
SCRIPT = """
const box=document.getElementById("player"),film=box.querySelector("video");
document.addEventListener("click",e=>{
 const seek=e.target.closest("[data-seek]"),one=document.getElementById("one");
 if(seek&&one){e.preventDefault();one.currentTime=+seek.dataset.time;one.play();return}
 const link=e.target.closest("[data-play]");
 if(link&&box.showModal){e.preventDefault();film.src=link.href;box.showModal();film.play()}
 else if(e.target===box){box.close()}
});
box.addEventListener("close",()=>{film.pause();film.removeAttribute("src")});
"""
