(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const root = document.documentElement;
  const find = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const ink = name => getComputedStyle(root).getPropertyValue(name).trim();
  const ZOOM = 1.8;
  const escape = text => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const subscripts = text => escape(text).replace(/([A-Za-z)\]])(\d+(?:\.\d+)?)/g, "$1<sub>$2</sub>");
  const config = { displaylogo: false, responsive: true, displayModeBar: false };
  root.classList.add("js");

  // ---- the table: a click on a heading sorts; what was not computed stays last

  function makeSortable(table) {
    const cells = [...table.tHead.rows[0].cells];
    cells.forEach((cell, column) => {
      if (!cell.dataset.kind) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(cell.firstChild);
      cell.prepend(button);
      button.addEventListener("click", () => sort(table, cells, column));
    });
  }

  function sort(table, cells, column) {
    const heading = cells[column];
    const down = heading.getAttribute("aria-sort") === "ascending";
    cells.forEach(cell => cell.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => row.cells[column].dataset.sort;
    const order = heading.dataset.kind === "number" ? (a, b) => a - b : (a, b) => a.localeCompare(b);
    const rows = [...table.tBodies[0].rows];
    const known = rows.filter(row => key(row) !== "").sort((a, b) => order(key(a), key(b)));
    if (down) known.reverse();
    table.tBodies[0].append(...known, ...rows.filter(row => key(row) === ""));
  }

  // ---- the crystal on the stage

  let chosen = 1;
  let live = false;

  function choose(rank, focus) {
    if (!data.structures[rank - 1]) return;
    chosen = rank;
    all(".panel").forEach((panel, i) => { panel.hidden = i !== rank - 1; });
    all(".list tbody tr").forEach(row => row.classList.toggle("chosen", +row.cells[0].dataset.sort === rank));
    find("#pick").value = rank;
    find("#still use").setAttribute("href", `#draw-${rank}`);
    find("#still .moves").setAttribute("href", `#moves-${rank}`);
    find("#moves").hidden = !data.structures[rank - 1].moves;
    drawLegend(data.structures[rank - 1]);
    if (live) drawCrystal();
    if (focus) {
      history.replaceState(null, "", `#crystal-${rank}`);
      find("#crystals").scrollIntoView();
      find(`#crystal-${rank}-title`).focus({ preventScroll: true });
    }
  }

  function arrowItem(color, words) {
    const item = document.createElement("span");
    item.innerHTML = '<svg viewBox="0 0 10 10" aria-hidden="true"><path d="M0 5h6" stroke-width="1.6" fill="none"/><path d="M5.5 2l4.5 3-4.5 3z"/></svg>';
    item.style.setProperty("stroke", `var(${color})`);
    item.style.setProperty("fill", `var(${color})`);
    const text = document.createElement("span");
    text.textContent = words;
    item.append(text);
    return item;
  }

  function drawLegend(structure) {
    find("#legend").replaceChildren(...structure.elements.map(element => {
      const item = document.createElement("span");
      item.innerHTML = '<svg viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="4.8"/></svg>';
      find("circle", item).setAttribute("fill", `url(#ball-${element})`);
      item.append(element);
      return item;
    }));
    if (structure.polarization) find("#legend").append(arrowItem("--new", "polarization (its sign is arbitrary)"));
    if (structure.moves) find("#legend").append(arrowItem("--move", structure.moves.caption));
  }

  const sphere = subdivisions => {
    const t = (1 + Math.sqrt(5)) / 2;
    const unit = v => { const n = Math.hypot(...v); return v.map(x => x / n); };
    const points = [[-1, t, 0], [1, t, 0], [-1, -t, 0], [1, -t, 0], [0, -1, t], [0, 1, t], [0, -1, -t], [0, 1, -t],
      [t, 0, -1], [t, 0, 1], [-t, 0, -1], [-t, 0, 1]].map(unit);
    let faces = [[0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11], [1, 5, 9], [5, 11, 4], [11, 10, 2], [10, 7, 6],
      [7, 1, 8], [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9], [4, 9, 5], [2, 4, 11], [6, 2, 10], [8, 6, 7], [9, 8, 1]];
    for (let s = 0; s < subdivisions; s++) {
      const seen = new Map();
      const middle = (a, b) => {
        const key = a < b ? `${a},${b}` : `${b},${a}`;
        if (!seen.has(key)) seen.set(key, points.push(unit(points[a].map((x, i) => x + points[b][i]))) - 1);
        return seen.get(key);
      };
      faces = faces.flatMap(([a, b, c]) => {
        const ab = middle(a, b), bc = middle(b, c), ca = middle(c, a);
        return [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]];
      });
    }
    return { points, faces };
  };
  // Plotly takes the lamp in the viewer's frame, with a depth that counts some hundredfold.
  const lamp = { x: -6e4, y: 8e4, z: -260 };
  const fine = sphere(2), coarse = sphere(1);
  const add = (a, b, scale = 1) => a.map((x, i) => x + scale * b[i]);
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const scaled = (a, s) => a.map(x => x * s);
  const normal = a => scaled(a, 1 / Math.hypot(...a));

  function meshes(structure) {
    const { elements, colors, kinds, positions, bonds } = structure;
    const radii = drawnRadii(structure);
    const ball = positions.length > 160 ? coarse : fine;
    const parts = elements.map(() => ({ x: [], y: [], z: [], i: [], j: [], k: [], text: [] }));
    const put = (part, points, faces, text) => {
      const base = part.x.length;
      points.forEach(p => { part.x.push(p[0]); part.y.push(p[1]); part.z.push(p[2]); part.text.push(text); });
      faces.forEach(f => { part.i.push(base + f[0]); part.j.push(base + f[1]); part.k.push(base + f[2]); });
    };
    const words = positions.map((p, n) => atomWords(structure, n));
    positions.forEach((p, n) => put(parts[kinds[n]], ball.points.map(q => add(p, q, radii[kinds[n]])), ball.faces, words[n]));
    bonds.forEach(([a, b]) => {
      const middle = scaled(add(positions[a], positions[b]), .5);
      [a, b].forEach(n => { const rod = cylinder(positions[n], middle, .085); put(parts[kinds[n]], rod.points, rod.faces, words[n]); });
    });
    return parts.map((part, n) => ({
      type: "mesh3d", ...part, color: colors[n], hoverinfo: "text", flatshading: false,
      lighting: { ambient: .42, diffuse: .66, specular: .3, roughness: .38, fresnel: .1 }, lightposition: lamp,
    }));
  }

  function cylinder(from, to, radius) {
    const sides = 10, axis = normal(add(to, from, -1));
    const across = normal(cross(axis, Math.abs(axis[2]) < .9 ? [0, 0, 1] : [1, 0, 0])), other = cross(axis, across);
    const points = [], faces = [];
    for (let s = 0; s < sides; s++) {
      const angle = 2 * Math.PI * s / sides;
      const offset = add(scaled(across, radius * Math.cos(angle)), other, radius * Math.sin(angle));
      points.push(add(from, offset), add(to, offset));
      const a = 2 * s, b = 2 * ((s + 1) % sides);
      faces.push([a, b, a + 1], [a + 1, b, b + 1]);
    }
    return { points, faces };
  }

  function atomWords(structure, n) {
    const [a, b, c] = structure.cell;
    const volume = dot(a, cross(b, c));
    const p = add(structure.positions[n], add(a, add(b, c)), .5);
    const inCell = [cross(b, c), cross(c, a), cross(a, b)].map(v => (dot(p, v) / volume).toFixed(3).replace("-0.000", "0.000"));
    return `<b>${structure.elements[structure.kinds[n]]}</b> site ${structure.sites[n] + 1}<br>${inCell.join(", ")}`;
  }

  function cellEdges(structure) {
    const [a, b, c] = structure.cell, x = [], y = [], z = [];
    const corner = bits => [a, b, c].reduce((p, v, n) => add(p, v, bits[n] - .5), [0, 0, 0]);
    const line = (from, to) => [from, to].forEach((p, n) => { x.push(p[0]); y.push(p[1]); z.push(p[2]); if (n) { x.push(null); y.push(null); z.push(null); } });
    for (let axis = 0; axis < 3; axis++) for (let other = 0; other < 4; other++) {
      const bits = [other & 1, other >> 1];
      const ends = [0, 1].map(end => { const full = [...bits]; full.splice(axis, 0, end); return corner(full); });
      line(...ends);
    }
    const lines = { type: "scatter3d", mode: "lines", x, y, z, hoverinfo: "skip", line: { color: ink("--stick"), width: 2.5 } };
    const tips = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map((bits, n) => add(corner(bits), normal([a, b, c][n]), .55));
    const letters = {
      type: "scatter3d", mode: "text", x: tips.map(p => p[0]), y: tips.map(p => p[1]), z: tips.map(p => p[2]),
      text: ["<i>a</i>", "<i>b</i>", "<i>c</i>"], hoverinfo: "skip", textfont: { color: ink("--soft"), size: 15, family: ink("--serif") },
    };
    return [lines, letters];
  }

  // A rod and a cone on it; the cone's corners are kept apart from the rod's, so that its rim stays sharp.
  function arrow(tail, tip, radius, headRadius, headLength) {
    const along = normal(add(tip, tail, -1)), length = Math.hypot(...add(tip, tail, -1));
    const head = Math.min(headLength, .6 * length), slim = Math.max(.6, head / headLength);
    const neck = add(tip, along, -head);
    const rod = cylinder(tail, neck, slim * radius), base = cylinder(neck, tip, slim * headRadius), first = rod.points.length;
    const points = [...rod.points, tip], faces = [...rod.faces];
    for (let s = 0; s < 10; s++) points.push(base.points[2 * s]);
    for (let s = 0; s < 10; s++) faces.push([first, first + 1 + s, first + 1 + (s + 1) % 10]);
    points.push(neck);
    for (let s = 0; s < 10; s++) faces.push([first + 11, first + 1 + s, first + 1 + (s + 1) % 10]);
    return { points, faces };
  }

  const arrowMesh = (parts, color) => {
    const trace = { type: "mesh3d", x: [], y: [], z: [], i: [], j: [], k: [], text: [], color, hoverinfo: "text", lighting: { ambient: .8, diffuse: .4, specular: .05 } };
    parts.forEach(({ points, faces, words }) => {
      const base = trace.x.length;
      points.forEach(p => { trace.x.push(p[0]); trace.y.push(p[1]); trace.z.push(p[2]); trace.text.push(words); });
      faces.forEach(f => { trace.i.push(base + f[0]); trace.j.push(base + f[1]); trace.k.push(base + f[2]); });
    });
    return trace;
  };

  // Through the middle of the cell; beside it, where it would hide the displacements.
  function polarizationArrow(structure) {
    const along = structure.polarization;
    if (!along) return [];
    const extent = direction => Math.max(...structure.positions.map(p => Math.abs(dot(p, direction))));
    let tail = scaled(along, -extent(along) - 1.1), tip = scaled(along, extent(along) + 2);
    if (arrowsShown(structure)) {
      const side = structure.view[Math.abs(dot(along, structure.view[0])) < .8 ? 0 : 1];
      const beside = scaled(side, extent(side) + .9), half = Math.max(1.6, .6 * extent(along));
      tail = add(beside, along, -half);
      tip = add(beside, along, half);
    }
    const drawn = arrow(tail, tip, .07, .24, .9);
    return [arrowMesh([{ ...drawn, words: "polarization" }], ink("--new"))];
  }

  const arrowsShown = structure => Boolean(structure.moves) && find("#moves").getAttribute("aria-pressed") === "true";

  const drawnRadii = structure => arrowsShown(structure) ? structure.radii.map(r => r * structure.moves.balls) : structure.radii;

  // Each begins at the surface of its ball, so that its whole length is seen.
  function displacementArrows(structure) {
    const { moves, positions, kinds, elements, sites } = structure, radii = drawnRadii(structure);
    if (!arrowsShown(structure)) return [];
    const parts = positions.flatMap((position, n) => {
      const move = moves.vectors[n];
      if (!move) return [];
      const tail = add(position, normal(move), radii[kinds[n]]);
      const words = `<b>${elements[kinds[n]]}</b> site ${sites[n] + 1}<br>${Math.hypot(...move).toFixed(3)} Å from<br>${escape(moves.origin)}`;
      return [{ ...arrow(tail, add(tail, move, moves.factor), .13, .28, .36), words }];
    });
    return [arrowMesh(parts, ink("--move"))];
  }

  function camera(structure, view) {
    const [a, b, c] = structure.cell;
    let toward = structure.view[2], up = structure.view[1];
    if (view !== "tilted") {
      toward = normal([a, b, c][view]);
      up = normal(view === "2" ? b : c);
    }
    const eye = scaled(toward, 2);
    return { eye: { x: eye[0], y: eye[1], z: eye[2] }, up: { x: up[0], y: up[1], z: up[2] }, center: { x: 0, y: 0, z: 0 }, projection: { type: "orthographic" } };
  }

  const farthest = traces => Math.sqrt(Math.max(...traces.map(({ x, y, z }) =>
    x.reduce((most, value, n) => Math.max(most, value ** 2 + y[n] ** 2 + z[n] ** 2), 0))));

  let facing = "tilted";

  function drawCrystal(view = "tilted", stay = false) {
    const structure = data.structures[chosen - 1];
    facing = view;
    const traces = [...meshes(structure), ...cellEdges(structure), ...polarizationArrow(structure), ...displacementArrows(structure)];
    const reach = farthest(traces), axis = { visible: false, showspikes: false, range: [-reach, reach] };
    const zoom = { x: ZOOM, y: ZOOM, z: ZOOM };
    const layout = {
      margin: { l: 0, r: 0, t: 0, b: 0 }, paper_bgcolor: "rgba(0,0,0,0)", showlegend: false,
      scene: { xaxis: axis, yaxis: axis, zaxis: axis, aspectmode: "manual", aspectratio: zoom, camera: camera(structure, view), dragmode: "orbit", bgcolor: "rgba(0,0,0,0)" },
      hoverlabel: label(), uirevision: stay ? find("#turning").layout.uirevision : `${chosen} ${view} ${Math.random()}`,
    };
    Plotly.react("turning", traces, layout, config);
    find("#turning").setAttribute("aria-label", `${structure.formula}, a crystal to turn; ${structure.elements.join(", ")}.`);
  }

  const label = () => ({ bgcolor: ink("--card"), bordercolor: ink("--line"), font: { color: ink("--ink"), family: ink("--sans"), size: 13 }, align: "left" });

  function canTurn() {
    const canvas = document.createElement("canvas");
    return Boolean(canvas.getContext("webgl2") || canvas.getContext("webgl"));
  }

  function startStage() {
    if (!canTurn()) {
      find("#hint").textContent = "This browser offers no WebGL, so the drawing does not turn.";
      find(".views").hidden = true;
      return;
    }
    live = true;
    find("#stage").classList.add("live");
    drawCrystal();
  }

  // ---- the map

  function drawMap() {
    const { points, x, y, top, bottom, threshold } = data.map;
    const words = p => `<b>${subscripts(p.formula)}</b> ${escape(p.group)}<br>${escape(x.label)} ${escape(p.xText)}<br>${escape(y.label)} ${escape(p.yText)}<br>${p.new ? "new" : "known"}, from ${escape(p.origin)}<br>${escape(p.id)}`;
    const trace = (name, wanted, marker, more = {}) => {
      const chosenPoints = points.filter(wanted);
      return {
        type: "scatter", mode: "markers", name, x: chosenPoints.map(p => p.x), y: chosenPoints.map(p => p.y),
        text: chosenPoints.map(words), hoverinfo: "text", customdata: chosenPoints.map(p => p.rank), marker, ...more,
      };
    };
    const known = ink("--known"), fresh = ink("--new");
    const listed = p => p.rank !== null;
    const traces = [
      trace("known", p => !p.new && !listed(p), { size: 7, color: "rgba(0,0,0,0)", line: { color: known, width: 1.2 }, opacity: .75 }),
      trace("new", p => p.new && !listed(p), { size: 7, color: fresh, opacity: .35 }),
      trace("known, shortlisted", p => !p.new && listed(p), { size: 12, color: known, line: { color: ink("--paper"), width: 1.5 } }),
      trace("new, shortlisted", p => p.new && listed(p), { size: 12, color: fresh, line: { color: ink("--paper"), width: 1.5 } }),
    ].filter(one => one.x.length);
    const pad = .06 * (top - bottom) || .01;
    const annotations = points.filter(listed).map(p => ({
      x: p.x, y: p.y, text: String(p.rank), showarrow: false, yshift: p.rank % 2 ? 15 : -15, font: { size: 12, color: ink("--ink") }, captureevents: false,
    }));
    const shapes = [];
    if (threshold !== null && threshold <= top + pad) {
      shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: threshold, y1: threshold, line: { color: ink("--soft"), width: 1, dash: "dot" } });
      annotations.push({ xref: "paper", x: 1, xanchor: "right", y: threshold, yanchor: "bottom", text: `stability window, ${threshold} ${escape(y.units)}`, showarrow: false, font: { size: 12, color: ink("--soft") } });
    }
    const axis = (of, more) => ({
      title: { text: of.units ? `${of.label} (${of.units})` : of.label, standoff: 12 }, gridcolor: ink("--hair"), zeroline: false,
      linecolor: ink("--ink"), ticks: "outside", tickcolor: ink("--line"), showline: true, automargin: true, ...more,
    });
    const narrow = find("#plot").clientWidth < 560;
    Plotly.react("plot", traces, {
      margin: { l: narrow ? 48 : 70, r: 14, t: 44, b: 56 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: ink("--sans"), size: 13, color: ink("--ink") }, hovermode: "closest", hoverlabel: label(), dragmode: "zoom",
      xaxis: axis(x, {}), yaxis: axis(y, { range: [bottom - pad, top + pad] }),
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" }, annotations, shapes,
    }, config);
    const plot = find("#plot");
    plot.removeAllListeners("plotly_click");
    plot.on("plotly_click", event => { const rank = event.points[0].customdata; if (rank) choose(rank, true); });
  }

  // ---- beginnings

  const whenSeen = (element, begin) => {
    const watcher = new IntersectionObserver(entries => {
      if (entries.some(entry => entry.isIntersecting)) { watcher.disconnect(); begin(); }
    }, { rootMargin: "300px" });
    watcher.observe(element);
  };

  all("table.list").forEach(makeSortable);
  if (data.structures.length) {
    const asked = /^#crystal-(\d+)$/.exec(location.hash);
    choose(asked && data.structures[asked[1] - 1] ? +asked[1] : 1, false);
    find("#pick").addEventListener("change", event => choose(+event.target.value, false));
    all("[data-step]").forEach(button => button.addEventListener("click", () => {
      const count = data.structures.length;
      choose((chosen - 1 + +button.dataset.step + count) % count + 1, false);
    }));
    all("[data-select]").forEach(link => link.addEventListener("click", event => {
      event.preventDefault();
      choose(+link.dataset.select, true);
    }));
    find("#moves").addEventListener("click", () => {
      const shown = find("#moves").getAttribute("aria-pressed") === "false";
      find("#moves").setAttribute("aria-pressed", String(shown));
      find("#still .moves").style.display = shown ? "" : "none";
      if (live) drawCrystal(facing, true);
    });
    all("[data-view]").forEach(button => button.addEventListener("click", () => drawCrystal(button.dataset.view)));
    whenSeen(find("#stage"), startStage);
  }
  if (data.map) {
    whenSeen(find("#plot"), drawMap);
    ["beforeprint", "afterprint"].forEach(moment => addEventListener(moment, () => {
      root.classList.toggle("printing", moment === "beforeprint");
      drawMap();
    }));
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (live) drawCrystal();
    if (data.map && find("#plot").data) drawMap();
  });
})();
