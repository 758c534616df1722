'use strict';
// The status page: what the service knows, drawn from its own geometry. Text goes in as text nodes only, so no name in a
// network can become markup.
const $ = (id) => document.getElementById(id);
const SVG = 'http://www.w3.org/2000/svg';
const el = (tag, attributes = {}, text) => {
  const e = tag.startsWith('svg:') ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
};
const fetchJson = async (path) => {
  const r = await fetch(path);
  return { ok: r.ok, body: await r.json() };
};
const timings = new Map(); // controller -> { body: newest publication, before: the one before it }
const dots = new Map();
const lines = new Map();
const named = () => {
  try {
    return decodeURIComponent(location.hash.slice(1)) || null;
  } catch {
    return null; // a fragment that nobody of us wrote
  }
};
let selected = named();
let controllers = [];
let clock = null; // { at: ms of the service, seen: ms here, rate }

const serviceNow = () => {
  if (!clock) return null;
  return clock.at + Math.min(performance.now() - clock.seen, 2000) * clock.rate;
};
const noteClock = (text) => {
  if (!text) return;
  const at = Date.parse(text);
  const seen = performance.now();
  if (clock && seen > clock.seen + 200) {
    const rate = (at - clock.at) / (seen - clock.seen);
    clock = { at, seen, rate: rate >= 0 && rate < 200 ? rate : clock.rate };
  } else if (!clock) {
    clock = { at, seen, rate: 1 };
  }
};

const drawMap = (geo) => {
  $('city').textContent = geo.name;
  const points = geo.features.flatMap((f) => (f.geometry.type === 'Point' ? [f.geometry.coordinates] : f.geometry.coordinates));
  if (!points.length) return;
  const lat0 = points.reduce((s, p) => s + p[1], 0) / points.length;
  const k = Math.cos((lat0 * Math.PI) / 180);
  const xs = points.map((p) => p[0] * k);
  const ys = points.map((p) => -p[1]);
  const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const size = Math.max(x1 - x0, y1 - y0) || 1;
  const at = ([lon, lat]) => [((lon * k - x0) / size) * 1000, ((-lat - y0) / size) * 1000];
  const svg = $('map');
  svg.setAttribute('viewBox', `-30 -30 ${((x1 - x0) / size) * 1000 + 60} ${((y1 - y0) / size) * 1000 + 60}`);
  for (const f of geo.features) {
    if (f.properties.kind === 'link') {
      const line = el('svg:polyline', { points: f.geometry.coordinates.map((c) => at(c).join(',')).join(' '), 'stroke-width': 1.5 + f.properties.lanes });
      line.append(el('svg:title', {}, f.properties.name));
      lines.set(f.properties.name, line);
      svg.append(line);
    }
  }
  for (const f of geo.features) {
    if (f.properties.kind === 'controller') {
      const [x, y] = at(f.geometry.coordinates);
      const dot = el('svg:circle', { class: 'dot', cx: x, cy: y, r: 9, 'stroke-width': 2.5, tabindex: 0, role: 'button', 'aria-label': f.properties.name });
      dot.append(el('svg:title', {}, f.properties.name));
      dot.addEventListener('click', () => select(f.properties.name));
      dot.addEventListener('keydown', (e) => e.key === 'Enter' && select(f.properties.name));
      const left = el('svg:path', { class: 'left', 'stroke-width': 4 });
      dots.set(f.properties.name, { dot, left, x, y });
      svg.append(dot, left);
    }
  }
};

const mod = (a, n) => ((a % n) + n) % n;
// What a plan shows now: the stage and the seconds that are left of it. Stages follow each other in the order of the
// program; what lies between them is clearance.
const stageNow = (known) => {
  const now = serviceNow();
  if (!known || now === null) return null;
  // The newest plan takes over at its valid_from; until then the one before it runs.
  const timing = known.before && now < Date.parse(known.body.valid_from) ? known.before : known.body;
  const running = now < Date.parse(timing.valid_until) ? timing.plan : timing.fallback;
  const pos = mod(Math.round(now / 100) - running.offset_ds + running.reference_position_ds, running.cycle_ds);
  let best = null;
  for (const g of running.groups)
    for (const i of g.greens) {
      const into = mod(pos - i.start_ds, running.cycle_ds);
      if (into < i.length_ds && i.length_ds < running.cycle_ds) {
        const left = i.length_ds - into;
        if (!best || left < best.left) best = { left, group: g.group };
      }
    }
  return { pos, cycle: running.cycle_ds, left: best ? best.left / 10 : 0, group: best ? best.group : 'clearance' };
};

const select = (name) => {
  selected = name;
  location.hash = encodeURIComponent(name);
  render();
  detail();
};
const COLOURS = ['#16794a', '#1f5fa8', '#8a4fa3', '#9a6200', '#a83b52', '#2f7f86', '#5d6b1d', '#7a4a2b'];
const bar = (title, plan) => {
  const box = el('div');
  box.append(el('h3', {}, `${title}: cycle ${(plan.cycle_ds / 10).toFixed(0)} s, offset ${(plan.offset_ds / 10).toFixed(0)} s`));
  const b = el('div', { class: 'bar' });
  const parts = plan.stages ? plan.stages.map((s) => [`${s.stage}`, s.green_ds]) : (plan.ring_barrier || []).map((p) => [`φ${p.phase}`, p.split_ds]);
  parts.forEach(([label, ds], i) => {
    if (!ds) return;
    const s = el('span', {}, `${label}: ${(ds / 10).toFixed(0)} s`);
    s.style.flex = String(ds);
    s.style.background = COLOURS[i % COLOURS.length];
    b.append(s);
  });
  box.append(b);
  return box;
};
const detail = async () => {
  const c = controllers.find((x) => x.name === selected);
  $('detail').hidden = !c;
  if (!c) return;
  const t = timings.get(c.name)?.body;
  $('name').textContent = c.name;
  $('ack').textContent = `asked to run revision ${c.expected_revision ?? '–'} (newest ${c.revision ?? '–'}), says it runs ${c.running_revision ?? 'its own plan'}`
    + (c.mismatch_reason ? ` — ${c.mismatch_reason}` : '') + (c.stale ? ' — no poll lately' : '');
  const history = await fetchJson(`/v1/controllers/${encodeURIComponent(c.name)}/history?limit=10`);
  const bars = [];
  if (t) bars.push(bar(`requested, revision ${t.revision}`, t.plan));
  const running = history.ok && history.body.revisions.find((r) => r.revision === c.running_revision);
  if (running) bars.push(bar(`running, revision ${running.revision}`, running.plan));
  if (t) bars.push(bar('time-of-day plan (fallback)', t.fallback));
  $('bars').replaceChildren(...bars);
  $('reasons').replaceChildren(...(t ? t.reasons.map((r) => el('li', {}, r.text)) : []));
  if (history.ok)
    $('history').replaceChildren(...history.body.revisions.map((r) => el('li', { value: r.revision }, `${r.computed_at}: ${r.reasons.map((x) => x.text).join('; ')}`)));
};

// Rows are made once and then changed in place, so that whoever reads by keyboard or by ear is not thrown out of them.
const rows = new Map();
const rowOf = (c) => {
  if (!rows.has(c.name)) {
    const row = el('tr', { tabindex: 0 });
    row.append(el('td', {}, c.name), ...Array.from({ length: 5 }, () => el('td')));
    row.addEventListener('click', () => select(c.name));
    row.addEventListener('keydown', (e) => e.key === 'Enter' && select(c.name));
    rows.set(c.name, row);
    document.querySelector('#list tbody').append(row);
  }
  return rows.get(c.name);
};
const render = () => {
  for (const c of controllers) {
    const s = stageNow(timings.get(c.name));
    const state = states.get(c.name);
    const row = rowOf(c);
    row.className = c.name === selected ? 'sel' : '';
    const texts = [
      s ? `${s.group} ${s.left.toFixed(0)} s` : '–',
      c.expected_revision ?? '–',
      c.running_revision ?? (c.on_time_of_day_plan ? 'own plan' : '–'),
      state ? `${state.cycle_s.toFixed(0)} s` : '',
      state?.degree_of_saturation?.toFixed(2) ?? '',
    ];
    texts.forEach((text, i) => { row.cells[i + 1].textContent = text; });
    row.cells[3].className = c.mismatch ? 'bad' : '';
  }
  rings();
};
const rings = () => {
  for (const c of controllers) {
    const d = dots.get(c.name);
    if (!d) continue;
    d.dot.setAttribute('class', `dot${c.mismatch || c.stale ? ' alarm' : ''}`);
    const s = stageNow(timings.get(c.name));
    if (!s) continue;
    const a = 2 * Math.PI * (s.pos / s.cycle);
    const end = [d.x + 13 * Math.sin(a), d.y - 13 * Math.cos(a)];
    d.left.setAttribute('d', `M ${d.x} ${d.y - 13} A 13 13 0 ${a > Math.PI ? 1 : 0} 1 ${end[0]} ${end[1]}`);
  }
};
const states = new Map();
const colour = (state) => {
  const worst = new Map();
  for (const l of state.lanes) worst.set(l.link, Math.max(worst.get(l.link) || 0, l.queue_veh / Math.max(l.storage_veh, 1)));
  for (const [name, share] of worst) {
    const line = lines.get(name);
    if (line) line.setAttribute('class', share > 0.9 ? 'q3' : share > 0.6 ? 'q2' : share > 0.15 ? 'q1' : '');
  }
  for (const c of state.controllers) states.set(c.name, c);
  const bad = state.detectors.filter((d) => d.health !== 'healthy');
  $('detectors').replaceChildren(...(bad.length ? bad.slice(0, 50).map((d) => el('li', {}, `${d.name}: ${d.health.replaceAll('_', ' ')}`)) : [el('li', {}, 'none')]));
  const stale = state.feed_age_s === null || state.feed_age_s > 60;
  $('feed').textContent = state.feed_age_s === null ? 'no data yet' : `data ${state.feed_age_s.toFixed(0)} s old`;
  $('feed').className = `badge ${stale ? 'bad' : 'ok'}`;
  $('clock').textContent = state.clock ? `${state.clock.replace('T', ' ').replace('Z', ' UTC')} (${state.clock_source})` : 'no clock yet';
};

const poll = async () => {
  try {
    const [list, state, ready] = await Promise.all([fetchJson('/v1/controllers'), fetchJson('/v1/network/state'), fetch('/readyz')]);
    controllers = list.body.controllers;
    noteClock(list.body.clock);
    if (state.ok) colour(state.body);
    $('ready').textContent = ready.ok ? 'ready' : 'not ready';
    $('ready').className = `badge ${ready.ok ? 'ok' : 'bad'}`;
    const alarms = controllers.filter((c) => c.mismatch || c.stale).length;
    $('alarms').textContent = alarms ? `${alarms} alarms` : 'no alarms';
    $('alarms').className = `badge ${alarms ? 'bad' : 'ok'}`;
    await Promise.all(controllers.map(async (c) => {
      const known = timings.get(c.name);
      if (known && known.body.revision === c.revision) return;
      // A page is no controller: it reads the history, so that it never counts as a poll.
      const r = await fetchJson(`/v1/controllers/${encodeURIComponent(c.name)}/history?limit=2`);
      if (r.ok && r.body.revisions.length) timings.set(c.name, { body: r.body.revisions[0], before: r.body.revisions[1] });
    }));
    render();
    if (selected) await detail();
  } catch (e) {
    $('ready').textContent = 'service not reached';
    $('ready').className = 'badge bad';
  }
  setTimeout(poll, 2000);
};
fetchJson('/v1/network').then(({ body }) => { drawMap(body); poll(); setInterval(rings, 250); });
