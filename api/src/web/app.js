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

const METRES_PER_DEGREE = 111320;
// Lanes are wider on the map than in the street, so each direction moves to its own side of the line it shares.
const aside = (points, by) => points.map(([x, y], i) => {
  const [ax, ay] = points[Math.max(i - 1, 0)];
  const [bx, by_] = points[Math.min(i + 1, points.length - 1)];
  const length = Math.hypot(bx - ax, by_ - ay) || 1;
  return [x - ((by_ - ay) / length) * by, y + ((bx - ax) / length) * by];
});
// A line as long as a round number of metres.
const scale = (metresPerUnit, bottom) => {
  const wanted = 250 * metresPerUnit;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const metres = [5, 2, 1].map((n) => n * power).find((m) => m <= wanted);
  const g = el('svg:g', { class: 'scale' });
  const length = metres / metresPerUnit;
  g.append(el('svg:path', { d: `M 0 ${bottom - 8} v 8 h ${length} v -8` }));
  g.append(el('svg:text', { x: length / 2, y: bottom - 12 }, metres < 1000 ? `${metres} m` : `${metres / 1000} km`));
  return g;
};
const onKey = (act) => (e) => {
  if (e.key !== 'Enter' && e.key !== ' ') return;
  e.preventDefault();
  act();
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
  svg.append(scale((size * METRES_PER_DEGREE) / 1000, ((y1 - y0) / size) * 1000));
  for (const f of geo.features) {
    if (f.properties.kind === 'node') {
      // Links end where their junction begins; without its surface the city falls to pieces.
      const [cx, cy] = at(f.geometry.coordinates);
      svg.append(el('svg:circle', { class: 'junction', cx, cy, r: 5 }));
    }
  }
  for (const f of geo.features) {
    if (f.properties.kind === 'link') {
      const width = 1.5 + 1.5 * f.properties.lanes;
      const points = aside(f.geometry.coordinates.map(at), width / 2 + 0.5);
      const line = el('svg:polyline', { points: points.map((p) => p.join(',')).join(' '), 'stroke-width': width });
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
      dot.addEventListener('keydown', onKey(() => select(f.properties.name)));
      const left = el('svg:path', { class: 'left', 'stroke-width': 4 });
      dots.set(f.properties.name, { dot, left, x, y });
      // The table and the dot say the name too, so whoever listens need not hear it here.
      svg.append(el('svg:text', { class: 'name', x: x + 14, y: y - 12, 'aria-hidden': 'true' }, f.properties.name), dot, left);
    }
  }
};

const mod = (a, n) => ((a % n) + n) % n;
// What a plan shows now: the groups with a protected green and how long they keep it; between two greens, how long until
// the next.
const stageNow = (known) => {
  const now = serviceNow();
  if (!known || now === null) return null;
  // The newest plan takes over at its valid_from; until then the one before it runs.
  const timing = known.before && now < Date.parse(known.body.valid_from) ? known.before : known.body;
  const running = now < Date.parse(timing.valid_until) ? timing.plan : timing.fallback;
  const cycle = running.cycle_ds;
  const pos = mod(Math.round(now / 100) - running.offset_ds + running.reference_position_ds, cycle);
  const greens = running.groups.flatMap((g) => g.greens.map((i) => ({ group: g.group, into: mod(pos - i.start_ds, cycle), ...i })));
  const on = greens.filter((i) => i.into < i.length_ds && i.length_ds < cycle);
  const shown = on.some((i) => i.protection === 'protected') ? on.filter((i) => i.protection === 'protected') : on;
  const left = (shown.length ? Math.min(...shown.map((i) => i.length_ds - i.into)) : Math.min(cycle, ...greens.map((i) => cycle - i.into))) / 10;
  const names = shown.map((i) => i.group);
  const text = names.length > 2 ? `${names[0]} +${names.length - 1}` : names.join(' ') || 'clearance';
  return { pos, cycle, text: `${text}, ${left.toFixed(0)} s` };
};

const select = (name) => {
  selected = name;
  location.hash = encodeURIComponent(name);
  render();
  detail().then(() => $('detail').scrollIntoView({ block: 'nearest' }));
};
const COLOURS = ['#16794a', '#1f5fa8', '#8a4fa3', '#9a6200', '#a83b52', '#2f7f86', '#5d6b1d', '#7a4a2b'];
const CLEARANCE = '#5a646e';
const bar = (title, plan) => {
  const box = el('div');
  box.append(el('h3', {}, `${title}: cycle ${(plan.cycle_ds / 10).toFixed(0)} s, offset ${(plan.offset_ds / 10).toFixed(0)} s, ${plan.stages ? 'green by stage' : 'split by phase'}`));
  const b = el('div', { class: 'bar' });
  const parts = plan.stages ? plan.stages.map((s) => [`${s.stage}`, s.green_ds]) : (plan.ring_barrier || []).map((p) => [`${p.phase}`, p.split_ds]);
  const kind = plan.stages ? 'stage' : 'phase';
  const piece = (short, label, ds, colour) => {
    if (ds <= 0) return;
    const lasts = `${(ds / 10).toFixed(0)} s`;
    const s = el('span', { title: `${label}: ${lasts}` }, `${short}: ${lasts}`);
    s.style.flex = `${ds} 1 0`;
    s.style.background = colour;
    b.append(s);
  };
  parts.forEach(([label, ds], i) => piece(label, `${kind} ${label}`, ds, COLOURS[i % COLOURS.length]));
  // So that the bar is the whole cycle; the splits of a ring contain their clearances.
  if (plan.stages) piece('clear', 'clearances', plan.cycle_ds - parts.reduce((sum, [, ds]) => sum + ds, 0), CLEARANCE);
  box.append(b);
  return box;
};
const time = (instant) => instant.slice(11, 19);
const detail = async () => {
  const c = controllers.find((x) => x.name === selected);
  $('detail').hidden = !c;
  if (!c) return;
  const t = timings.get(c.name)?.body;
  $('name').textContent = c.name;
  $('ack').textContent = `asked to run revision ${c.expected_revision ?? '–'} (newest ${c.revision ?? '–'}), says it runs ${c.running_revision ?? 'its own plan'}; last polled ${c.polled_at ? time(c.polled_at) : 'never'}`
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
    $('history').replaceChildren(...history.body.revisions.map((r) => el('li', { value: r.revision }, `${time(r.computed_at)} ${r.reasons.map((x) => x.text).join('; ')}`)));
};

// Rows are made once and then changed in place, so that whoever reads by keyboard or by ear is not thrown out of them.
const rows = new Map();
const rowOf = (c) => {
  if (!rows.has(c.name)) {
    const row = el('tr', { tabindex: 0 });
    row.append(el('td', {}, c.name), ...Array.from({ length: 5 }, () => el('td')));
    row.addEventListener('click', () => select(c.name));
    row.addEventListener('keydown', onKey(() => select(c.name)));
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
    row.setAttribute('aria-current', String(c.name === selected));
    const texts = [
      s ? s.text : '–',
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
  $('trusted').textContent = `${state.detectors.length - bad.length} of ${state.detectors.length} trusted`;
  $('detectors').replaceChildren(...(bad.length ? bad.slice(0, 50).map((d) => el('li', {}, `${d.name}: ${d.health.replaceAll('_', ' ')}`)) : []));
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
// The network comes first; a service that is not there yet is asked again.
const begin = () => fetchJson('/v1/network').then(({ body }) => {
  drawMap(body);
  poll();
  setInterval(rings, 250);
}).catch(() => setTimeout(begin, 2000));
begin();
