/** The style of the dashboard page. */
export const dashboardStyle: string = `
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --line: #dfe2e8; --ink: #1b2130; --soft: #5d6678; --faint: #8b93a3;
  --good: #1a7f4b; --warn: #b26a00; --bad: #c5283d; --info: #2b62c4; --calm: #6b7485;
  --good-wash: #e2f4ea; --warn-wash: #fdf0d9; --bad-wash: #fde4e6; --calm-wash: #eceef2;
  --shadow: 0 1px 2px rgb(20 26 40 / 8%);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11141b; --card: #1a1f29; --line: #2b3240; --ink: #e8ebf2; --soft: #a3acbd; --faint: #737d90;
    --good: #4ccb8a; --warn: #f0ae4a; --bad: #ff6b7a; --info: #7aa7ff; --calm: #98a2b4;
    --good-wash: #16322a; --warn-wash: #3a2d17; --bad-wash: #3d1d25; --calm-wash: #262c38;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
header {
  position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; gap: 10px 18px; align-items: center;
  padding: 12px 24px; background: var(--card); border-bottom: 1px solid var(--line);
}
h1 { margin: 0; font-size: 16px; font-weight: 650; letter-spacing: -0.01em; }
h2 { margin: 28px 0 12px; font-size: 13px; font-weight: 600; color: var(--soft); }
main { padding: 4px 24px 40px; max-width: 1720px; margin: 0 auto; }
#connection { display: inline-flex; align-items: center; gap: 7px; color: var(--soft); }
#connection::before { content: ""; width: 8px; height: 8px; border-radius: 50%; background: var(--warn); }
#connection[data-state="live"]::before { background: var(--good); }
#connection[data-state="lost"]::before { background: var(--bad); }
#summary { color: var(--soft); }
#summary b { color: var(--ink); font-weight: 600; }
#summary b.bad { color: var(--bad); }
.spring { flex: 1; }
input, select {
  font: inherit; color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 7px;
  padding: 5px 9px; height: 32px;
}
input { width: 190px; }
input:focus-visible, select:focus-visible { outline: 2px solid var(--info); outline-offset: 1px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(318px, 1fr)); gap: 14px; }
.card {
  position: relative; overflow: hidden; background: var(--card); border: 1px solid var(--line); border-radius: 11px;
  box-shadow: var(--shadow); padding: 13px 15px 0; display: flex; flex-direction: column;
}
.card[data-health="bad"] { border-color: var(--bad); }
.card.stale { opacity: 0.45; }
.card[hidden] { display: none; }
.head { display: flex; gap: 10px; align-items: flex-start; }
.names { flex: 1; min-width: 0; }
.name, .group { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.name { font-weight: 620; }
.group { font-size: 12px; color: var(--soft); min-height: 17px; }
.state {
  flex: none; border-radius: 99px; padding: 2px 10px; font-size: 12px; font-weight: 600;
  color: var(--calm); background: var(--calm-wash);
}
.state[data-health="good"] { color: var(--good); background: var(--good-wash); }
.state[data-health="warn"] { color: var(--warn); background: var(--warn-wash); }
.state[data-health="bad"] { color: var(--bad); background: var(--bad-wash); }
.body { display: grid; grid-template-columns: 104px 1fr; gap: 14px; align-items: center; margin: 8px 0 4px; }
.dial { width: 104px; height: 104px; }
.dial circle.halo { fill: var(--calm-wash); }
.dial circle.volume { fill: var(--calm); fill-opacity: 0.24; stroke: var(--calm); stroke-opacity: 0.7; stroke-width: 1.5; transition: r 0.4s; }
.dial[data-health="good"] circle.volume { fill: var(--good); stroke: var(--good); }
.dial[data-health="warn"] circle.volume { fill: var(--warn); stroke: var(--warn); }
.dial[data-health="bad"] circle.volume { fill: var(--bad); stroke: var(--bad); }
.dial text { fill: var(--ink); text-anchor: middle; font-weight: 650; font-size: 16.5px; }
.dial text.unit { fill: var(--soft); font-size: 10.5px; font-weight: 500; }
dl { margin: 0; display: grid; grid-template-columns: 1fr auto; gap: 1px 10px; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; font-weight: 560; }
dd.zero { color: var(--faint); font-weight: 400; }
dd.good { color: var(--good); } dd.warn { color: var(--warn); } dd.bad { color: var(--bad); } dd.info { color: var(--info); }
.latencies { display: grid; grid-template-columns: repeat(5, 1fr); border-top: 1px solid var(--line); margin: 6px -15px 0; }
.latencies div { padding: 6px 4px; text-align: center; font-size: 12.5px; font-weight: 560; }
.latencies span { display: block; color: var(--soft); font-size: 11px; font-weight: 400; }
.spark { display: block; width: calc(100% + 30px); height: 34px; margin: 0 -15px; }
.spark path.line { fill: none; stroke: var(--info); stroke-width: 1.4; vector-effect: non-scaling-stroke; }
.spark path.area { fill: var(--info); fill-opacity: 0.1; }
.bar { height: 7px; border-radius: 4px; background: var(--calm-wash); overflow: hidden; margin: 8px 0 10px; }
.bar i { display: block; height: 100%; width: 0; background: var(--info); transition: width 0.4s; }
.bar i.warn { background: var(--warn); } .bar i.bad { background: var(--bad); }
.card.small { padding-bottom: 12px; }
#empty { padding: 64px 0; text-align: center; color: var(--soft); }
section[hidden], #empty[hidden] { display: none; }
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media (max-width: 560px) { header, main { padding-left: 14px; padding-right: 14px; } input { width: 130px; } }
`
