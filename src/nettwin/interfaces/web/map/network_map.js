// A map of a network on a canvas: every link is a half-arrow from its node to the middle.
// Topology comes by URL; colors, numbers and marks come as bytes through `paint`.

const DOWN = 1, FLAGGED = 2, UNKNOWN = 4, TOUCHED = 8;
const CLUSTER_FROM = 200, CLUSTER_PX = 26, LABEL_H = 13;
const OUTLINE_UNIT = 1 / 20;

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

export default {
  template: `
    <div class="nt-map-box">
      <canvas ref="under" class="nt-map-layer"></canvas>
      <canvas ref="canvas" class="nt-map-layer nt-map-top" tabindex="0" role="img"
        :aria-label="label" @keydown="key"></canvas>
      <div ref="tip" class="nt-map-tip" hidden></div>
    </div>`,
  props: { url: String, outlines: String, label: String },

  mounted() {
    // not reactive: a map of thousands of links is drawn, never watched
    this.s = {
      map: null, color: null, value: null, mark: null, palette: [], text: [], unit: "%",
      view: { k: 1, x: 0, y: 0 }, chosen: null, hover: null, shown: null, dark: true,
      outlines: null, frame: 0, waiting: null, order: null, widths: new Map(),
    };
    const top = this.$refs.canvas;
    this.resizes = new ResizeObserver(() => this.resize());
    this.resizes.observe(this.$el);
    this.themes = new MutationObserver(() => this.theme());
    this.themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    top.addEventListener("wheel", this.wheel, { passive: false });
    top.addEventListener("pointerdown", this.down);
    top.addEventListener("pointermove", this.move);
    top.addEventListener("pointerup", this.up);
    top.addEventListener("pointerleave", () => this.hovered(null));
    top.addEventListener("dblclick", (e) => this.zoomAt(e.offsetX, e.offsetY, 1.8));
    this.theme();
    this.resize();
    this.load(this.url);
  },

  unmounted() {
    this.resizes.disconnect();
    this.themes.disconnect();
  },

  methods: {
    async load(url) {
      const answer = await fetch(url, { credentials: "same-origin" });
      if (!answer.ok) return;
      const map = await answer.json();
      map.near = map.nodes.map(() => 0);
      for (const l of map.links) { map.near[l[0]]++; map.near[l[1]]++; }
      map.byNear = [...map.nodes.keys()].sort((a, b) => map.near[b] - map.near[a]);
      const before = this.s.map;
      this.s.map = map;
      if (!before || before.nodes.length !== map.nodes.length) this.fit();
      if (map.projection && !this.s.outlines && this.outlines) {
        const lines = await fetch(this.outlines, { credentials: "same-origin" });
        if (lines.ok) this.s.outlines = unpacked(await lines.json());
      }
      if (this.s.waiting) { const next = this.s.waiting; this.s.waiting = null; this.paint(next); }
      this.draw(true);
      this.$emit("ready", { nodes: map.nodes.length, links: map.links.length });
    },

    // what: color (a step of the palette for each link), value (a number), mark (bits)
    paint(what) {
      const s = this.s;
      if (!s.map) { s.waiting = what; return; }
      s.color = bytes(what.color);
      s.value = new Float32Array(bytes(what.value).buffer);
      s.mark = bytes(what.mark);
      s.node = bytes(what.node);
      s.palette = what.palette;
      s.unit = what.unit;
      s.text = what.digits ?? 0;
      // hot links first, for labels
      s.order = [...s.value.keys()].sort((a, b) => s.color[b] - s.color[a] || (s.value[b] || 0) - (s.value[a] || 0));
      s.painted = (s.painted || 0) + 1;
      this.draw(false);
    },

    choose(kind, index) {
      this.s.chosen = kind ? { kind, index } : null;
      this.draw(false);
    },

    // steps of the palette that are shown; the others fade
    only(steps) { this.s.shown = steps; this.draw(false); },

    fit() {
      const { s } = this, box = this.$el.getBoundingClientRect();
      if (!s.map || !box.width) return;
      let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
      for (const n of s.map.nodes) {
        x0 = Math.min(x0, n[0]); x1 = Math.max(x1, n[0]);
        y0 = Math.min(y0, n[1]); y1 = Math.max(y1, n[1]);
      }
      // room for what lies over the map: the choices above, the legend below
      const w = Math.max(x1 - x0, 1e-6), h = Math.max(y1 - y0, 1e-6), side = 46, top = 84, low = 70;
      const k = Math.min((box.width - 2 * side) / w, Math.max(box.height - top - low, 80) / h);
      const middle = top + (box.height - top - low) / 2;
      s.view = { k, x: box.width / 2 - k * (x0 + x1) / 2, y: middle + k * (y0 + y1) / 2 };
      this.draw(true);
    },

    zoomAt(px, py, by) {
      const v = this.s.view, k = Math.min(Math.max(v.k * by, 20), 2e6);
      v.x = px - (px - v.x) * k / v.k;
      v.y = py - (py - v.y) * k / v.k;
      v.k = k;
      this.draw(true);
    },

    showNode(index) {
      const s = this.s, n = s.map?.nodes[index], box = this.$el.getBoundingClientRect();
      if (!n) return;
      s.view.x = box.width / 2 - s.view.k * n[0];
      s.view.y = box.height / 2 + s.view.k * n[1];
      this.draw(true);
    },

    png() {
      const out = document.createElement("canvas"), { under, canvas } = this.$refs;
      out.width = canvas.width; out.height = canvas.height;
      const g = out.getContext("2d");
      g.fillStyle = this.s.tone.paper;
      g.fillRect(0, 0, out.width, out.height);
      g.drawImage(under, 0, 0); g.drawImage(canvas, 0, 0);
      return out.toDataURL("image/png");
    },

    // what the canvas shows, as SVG
    svg() {
      const s = this.s, { canvas } = this.$refs, ratio = window.devicePixelRatio || 1;
      const w = canvas.width / ratio, h = canvas.height / ratio, r = (v) => v.toFixed(1);
      const plain = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
      const out = [`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" font-family="sans-serif" font-size="11">`,
        `<rect width="100%" height="100%" fill="${s.tone.paper}"/>`];
      const p = s.map.projection, v = s.view;
      if (p && s.outlines) {
        for (const [lines, fill] of [[s.outlines.land, s.tone.land], [s.outlines.borders, "none"]]) {
          for (const turn of [-360, 0, 360]) {
            for (const line of lines) {
              const at = line.points, d = [];
              let seen = false;
              for (let i = 0; i < at.length; i += 2) {
                const x = v.x + v.k * ((at[i] - p.edge + turn) * p.squeeze - p.low[0]) / p.span;
                const y = v.y - v.k * (at[i + 1] - p.low[1]) / p.span;
                seen = seen || (x > 0 && x < w && y > 0 && y < h);
                d.push(`${r(x)},${r(y)}`);
              }
              if (seen) out.push(`<path d="M${d.join("L")}" fill="${fill}" stroke="${s.tone.coast}"/>`);
            }
          }
        }
      }
      for (let k = 0; k < s.map.links.length; k++) {
        if (Number.isNaN(s.lines[4 * k])) continue;
        const points = [], mark = s.mark?.[k] ?? UNKNOWN;
        this.arrow({ moveTo: (x, y) => points.push(`${r(x)},${r(y)}`),
          lineTo: (x, y) => points.push(`${r(x)},${r(y)}`), closePath: () => {} }, k, 0);
        const look = mark & DOWN ? `fill="none" stroke="${s.tone.dead}" stroke-dasharray="5 4"`
          : mark & UNKNOWN ? `fill="none" stroke="${s.tone.dead}"` : `fill="${s.palette[s.color[k]]}"`;
        const title = plain(this.words({ kind: "link", index: k }));
        out.push(`<polygon points="${points.join(" ")}" ${look}><title>${title}</title></polygon>`);
        const o = 4 * k, text = this.number(k), dx = s.lines[o + 2] - s.lines[o], dy = s.lines[o + 3] - s.lines[o + 1];
        if (text && Math.hypot(dx, dy) > 24) {
          out.push(`<text x="${r(s.lines[o] + 0.55 * dx)}" y="${r(s.lines[o + 1] + 0.55 * dy + 4)}" text-anchor="middle"`
            + ` font-weight="600" fill="${s.tone.ink}" stroke="${s.tone.paper}" stroke-width="3" paint-order="stroke">${plain(text)}</text>`);
        }
      }
      s.map.nodes.forEach((node, i) => {
        const [x, y] = this.place(node);
        out.push(`<circle cx="${r(x)}" cy="${r(y)}" r="4" fill="${s.tone.paper}" stroke="${s.tone.ink}" stroke-width="1.4"/>`);
        if (s.map.nodes.length <= 160) {
          out.push(`<text x="${r(x + 8)}" y="${r(y + 4)}" fill="${s.tone.soft}" stroke="${s.tone.paper}" stroke-width="3" paint-order="stroke">${plain(s.map.names[i])}</text>`);
        }
      });
      return [...out, "</svg>"].join("\n");
    },

    // events

    wheel(e) {
      e.preventDefault();
      this.zoomAt(e.offsetX, e.offsetY, Math.exp(-e.deltaY * (e.ctrlKey ? 0.01 : 0.0015)));
    },
    down(e) {
      this.drag = { x: e.clientX, y: e.clientY, moved: false };
      this.$refs.canvas.setPointerCapture(e.pointerId);
    },
    move(e) {
      const d = this.drag;
      if (!d) { this.hovered(this.at(e.offsetX, e.offsetY), e); return; }
      const dx = e.clientX - d.x, dy = e.clientY - d.y;
      if (!d.moved && Math.hypot(dx, dy) < 4) return;
      d.moved = true; d.x = e.clientX; d.y = e.clientY;
      this.s.view.x += dx; this.s.view.y += dy;
      this.draw(true);
    },
    up(e) {
      const d = this.drag;
      this.drag = null;
      if (!d || d.moved) return;
      const hit = this.at(e.offsetX, e.offsetY);
      if (hit?.kind === "group") { this.zoomAt(e.offsetX, e.offsetY, 2.2); return; }
      this.pick(hit);
    },
    pick(hit) {
      this.s.chosen = hit;
      this.draw(false);
      this.$emit("pick", hit ? { kind: hit.kind, index: hit.index } : { kind: "", index: -1 });
    },
    key(e) {
      const v = this.s.view, step = 60, box = this.$el.getBoundingClientRect();
      const zoom = (by) => this.zoomAt(box.width / 2, box.height / 2, by);
      const pan = (dx, dy) => { v.x += dx; v.y += dy; this.draw(true); };
      const act = {
        ArrowLeft: () => pan(step, 0), ArrowRight: () => pan(-step, 0),
        ArrowUp: () => pan(0, step), ArrowDown: () => pan(0, -step),
        "+": () => zoom(1.4), "=": () => zoom(1.4), "-": () => zoom(1 / 1.4), 0: () => this.fit(),
        n: () => this.next(1), p: () => this.next(-1),
      }[e.key];
      if (!act || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      e.stopPropagation();
      act();
    },
    // the next link in the order of its number, the largest first
    next(by) {
      const { map, value, chosen } = this.s;
      if (!map || !value) return;
      const order = [...value.keys()].sort((a, b) => (value[b] || 0) - (value[a] || 0));
      const at = chosen?.kind === "link" ? order.indexOf(chosen.index) : -1;
      const index = order[(at + by + order.length) % order.length];
      this.pick({ kind: "link", index });
    },

    hovered(hit, e) {
      const s = this.s, tip = this.$refs.tip;
      this.$refs.canvas.style.cursor = hit ? "pointer" : "grab";
      const was = s.hover;
      s.hover = hit;
      if (!hit) { tip.hidden = true; if (was) this.draw(false); return; }
      tip.textContent = this.words(hit);
      tip.hidden = false;
      const box = this.$el.getBoundingClientRect();
      const left = e.offsetX + 14, wide = tip.offsetWidth;
      tip.style.left = `${left + wide > box.width ? e.offsetX - wide - 10 : left}px`;
      tip.style.top = `${Math.min(e.offsetY + 12, box.height - tip.offsetHeight - 4)}px`;
      if (!was || was.kind !== hit.kind || was.index !== hit.index) this.draw(false);
    },
    words(hit) {
      const { map } = this.s;
      if (hit.kind === "group") return `${hit.count} nodes: click to open`;
      if (hit.kind === "node") return map.names[hit.index];
      return `${map.links[hit.index][4]}   ${this.number(hit.index) || "not known"}`;
    },
    number(k) {
      const s = this.s, v = s.value?.[k];
      if (s.mark && s.mark[k] & DOWN) return "down";
      if (v === undefined || Number.isNaN(v)) return "";
      return `${v.toFixed(s.text)}${s.unit}${s.mark[k] & FLAGGED ? " ?" : ""}`;
    },

    // geometry

    place(n) { const v = this.s.view; return [v.x + v.k * n[0], v.y - v.k * n[1]]; },

    at(px, py) {
      const s = this.s;
      if (!s.map) return null;
      for (const g of s.groups ?? []) {
        if (Math.hypot(px - g.x, py - g.y) < g.r + 3) return g;
      }
      let best = null, least = 9;
      if (!s.groups) {
        for (let i = 0; i < s.map.nodes.length; i++) {
          const [x, y] = this.place(s.map.nodes[i]), d = Math.hypot(px - x, py - y);
          if (d < least) { least = d; best = { kind: "node", index: i }; }
        }
        if (best) return best;
      }
      least = 8;
      const lines = s.lines;
      for (let k = 0; lines && k < s.map.links.length; k++) {
        const o = 4 * k, ax = lines[o], ay = lines[o + 1], bx = lines[o + 2], by = lines[o + 3];
        if (Number.isNaN(ax)) continue;
        const ex = bx - ax, ey = by - ay, size = ex * ex + ey * ey || 1;
        const t = Math.max(0, Math.min(1, ((px - ax) * ex + (py - ay) * ey) / size));
        const d = Math.hypot(px - ax - t * ex, py - ay - t * ey);
        if (d < least) { least = d; best = { kind: "link", index: k }; }
      }
      return best;
    },

    // drawing

    theme() {
      const dark = document.body.classList.contains("body--dark");
      this.s.tone = dark
        ? { paper: "#10161d", land: "#18212b", coast: "#263442", ink: "#dbe4ec", soft: "#8ea0b0",
            ring: "#ffffff", halo: "rgba(16,22,29,.82)", dead: "#7f8c99" }
        : { paper: "#fbfcfd", land: "#eef2f5", coast: "#d8e0e7", ink: "#1b2733", soft: "#5b6873",
            ring: "#111111", halo: "rgba(251,252,253,.85)", dead: "#8b96a1" };
      this.s.dark = dark;
      this.draw(true);
    },
    resize() {
      const box = this.$el.getBoundingClientRect(), ratio = window.devicePixelRatio || 1;
      for (const c of [this.$refs.under, this.$refs.canvas]) {
        c.width = Math.max(1, Math.round(box.width * ratio));
        c.height = Math.max(1, Math.round(box.height * ratio));
      }
      const first = !this.width;
      this.width = box.width;
      if (first) this.fit(); else this.draw(true);
    },
    draw(moved) {
      const s = this.s;
      s.moved = s.moved || moved;
      if (s.frame) return;
      s.frame = requestAnimationFrame(() => {
        s.frame = 0;
        const begin = performance.now(), box = this.$el.dataset;
        if (s.moved) this.drawUnder();
        this.drawNetwork();
        s.moved = false;
        // for whoever measures: what the last frame took, and how often colors came
        box.ms = (performance.now() - begin).toFixed(2);
        if (s.map && s.painted) box.painted = s.painted;
      });
    },

    drawUnder() {
      const { s } = this, canvas = this.$refs.under, g = canvas.getContext("2d");
      const ratio = window.devicePixelRatio || 1;
      g.setTransform(1, 0, 0, 1, 0, 0);
      g.clearRect(0, 0, canvas.width, canvas.height);
      const p = s.map?.projection;
      if (!p || !s.outlines) return;
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      const v = s.view, w = canvas.width / ratio, h = canvas.height / ratio;
      const X = (lon, turn) => v.x + v.k * ((lon - p.edge + turn) * p.squeeze - p.low[0]) / p.span;
      const Y = (lat) => v.y - v.k * (lat - p.low[1]) / p.span;
      for (const [lines, fill] of [[s.outlines.land, true], [s.outlines.borders, false]]) {
        g.beginPath();
        for (const turn of [-360, 0, 360]) {
          for (const line of lines) {
            if (X(line.east, turn) < 0 || X(line.west, turn) > w) continue;
            if (Y(line.south) < 0 || Y(line.north) > h) continue;
            const at = line.points;
            g.moveTo(X(at[0], turn), Y(at[1]));
            for (let i = 2; i < at.length; i += 2) g.lineTo(X(at[i], turn), Y(at[i + 1]));
          }
        }
        if (fill) { g.fillStyle = s.tone.land; g.fill(); }
        g.strokeStyle = s.tone.coast;
        g.lineWidth = fill ? 1 : 0.7;
        g.stroke();
      }
    },

    drawNetwork() {
      const { s } = this, canvas = this.$refs.canvas, g = canvas.getContext("2d");
      const ratio = window.devicePixelRatio || 1;
      g.setTransform(1, 0, 0, 1, 0, 0);
      g.clearRect(0, 0, canvas.width, canvas.height);
      if (!s.map) return;
      g.setTransform(ratio, 0, 0, ratio, 0, 0);
      const w = canvas.width / ratio, h = canvas.height / ratio;
      this.group();
      this.placeLinks(w, h);
      const buckets = new Map(), dashed = [], unknown = [];
      const links = s.map.links;
      for (let k = 0; k < links.length; k++) {
        if (Number.isNaN(s.lines[4 * k])) continue;
        const mark = s.mark?.[k] ?? UNKNOWN;
        if (mark & DOWN) { dashed.push(k); continue; }
        if (mark & UNKNOWN) { unknown.push(k); continue; }
        const step = s.color[k], faded = s.shown && !s.shown.includes(step);
        const key = step + (faded ? 100 : 0);
        if (!buckets.has(key)) buckets.set(key, []);
        buckets.get(key).push(k);
      }
      this.hatch(g, unknown);
      for (const [key, list] of [...buckets.entries()].sort((a, b) => fade(a[0]) - fade(b[0]))) {
        g.globalAlpha = key >= 100 ? 0.12 : 1;
        g.fillStyle = s.palette[key % 100];
        g.beginPath();
        for (const k of list) this.arrow(g, k, 0);
        g.fill();
      }
      g.globalAlpha = 1;
      this.dashes(g, dashed);
      for (let k = 0; s.mark && k < links.length; k++) {
        if (s.mark[k] & TOUCHED && !Number.isNaN(s.lines[4 * k])) this.ring(g, k, s.tone.soft, 1.2);
      }
      if (s.hover?.kind === "link") this.ring(g, s.hover.index, s.tone.soft, 1.5);
      if (s.chosen?.kind === "link") this.ring(g, s.chosen.index, s.tone.ring, 2.4);
      this.drawNodes(g, w, h);
      this.labels(g, w, h);
    },

    // Nodes that stand close together become one, on large networks; opened by zooming
    group() {
      const s = this.s, nodes = s.map.nodes;
      s.groups = null; s.groupOf = null;
      if (nodes.length < CLUSTER_FROM) return;
      const cells = new Map();
      for (let i = 0; i < nodes.length; i++) {
        const [x, y] = this.place(nodes[i]);
        const key = `${Math.floor(x / CLUSTER_PX)},${Math.floor(y / CLUSTER_PX)}`;
        if (!cells.has(key)) cells.set(key, []);
        cells.get(key).push([i, x, y]);
      }
      if (cells.size > nodes.length * 0.8) return;
      s.groups = []; s.groupOf = new Int32Array(nodes.length);
      for (const list of cells.values()) {
        let x = 0, y = 0;
        for (const one of list) { x += one[1]; y += one[2]; s.groupOf[one[0]] = s.groups.length; }
        const count = list.length;
        s.groups.push(count === 1
          ? { kind: "node", index: list[0][0], count, x: x / count, y: y / count, r: 4 }
          : { kind: "group", index: s.groups.length, count, x: x / count, y: y / count,
              r: Math.min(5 + 2 * Math.sqrt(count), 15), worst: -1 });
      }
    },

    placeLinks(w, h) {
      const s = this.s, links = s.map.links, n = links.length;
      if (!s.lines || s.lines.length !== 4 * n) s.lines = new Float32Array(4 * n);
      const crowd = Math.min(1, Math.max(0.34, Math.sqrt(90 / Math.max(n, 1)) * (s.view.k / 700) ** 0.35));
      s.crowd = crowd;
      const seen = s.groups ? new Map() : null;
      for (let k = 0; k < n; k++) {
        const l = links[k], o = 4 * k;
        let ax, ay, bx, by;
        if (s.groups) {
          const a = s.groups[s.groupOf[l[0]]], b = s.groups[s.groupOf[l[1]]];
          const value = s.value?.[k] ?? 0;
          if (a === b) {
            s.lines[o] = NaN;
            if (s.color && a.kind === "group") a.worst = Math.max(a.worst, s.color[k]);
            continue;
          }
          // of the links between two groups the worst is drawn
          const key = s.groupOf[l[0]] * 1e6 + s.groupOf[l[1]], before = seen.get(key);
          if (before !== undefined && (s.value?.[before] ?? 0) >= value) { s.lines[o] = NaN; continue; }
          if (before !== undefined) s.lines[4 * before] = NaN;
          seen.set(key, k);
          [ax, ay, bx, by] = [a.x, a.y, b.x, b.y];
        } else {
          [ax, ay] = this.place(s.map.nodes[l[0]]);
          [bx, by] = this.place(s.map.nodes[l[1]]);
        }
        const dx = bx - ax, dy = by - ay, size = Math.hypot(dx, dy) || 1e-6;
        const aside = l[2] * (4 + 5 * crowd), ox = -dy / size * aside, oy = dx / size * aside;
        const from = Math.min(6 * crowd + 1, size / 5);
        const mx = (ax + bx) / 2 - dx / size * 0.8, my = (ay + by) / 2 - dy / size * 0.8;
        if (Math.max(ax, bx) < -20 || Math.min(ax, bx) > w + 20 || Math.max(ay, by) < -20 || Math.min(ay, by) > h + 20) {
          s.lines[o] = NaN;
          continue;
        }
        s.lines[o] = ax + dx / size * from + ox; s.lines[o + 1] = ay + dy / size * from + oy;
        s.lines[o + 2] = mx + ox; s.lines[o + 3] = my + oy;
      }
    },

    arrow(g, k, more) {
      const s = this.s, o = 4 * k, ax = s.lines[o], ay = s.lines[o + 1];
      const bx = s.lines[o + 2], by = s.lines[o + 3];
      const dx = bx - ax, dy = by - ay, size = Math.hypot(dx, dy) || 1e-6, ux = dx / size, uy = dy / size;
      const half = (1.5 + 0.85 * s.map.links[k][3]) * s.crowd + more;
      const head = Math.min(half * 2.6, size), wide = half * 1.9;
      const cx = bx - ux * head, cy = by - uy * head;
      g.moveTo(ax - uy * half, ay + ux * half);
      g.lineTo(cx - uy * half, cy + ux * half);
      g.lineTo(cx - uy * wide, cy + ux * wide);
      g.lineTo(bx + ux * more, by + uy * more);
      g.lineTo(cx + uy * wide, cy - ux * wide);
      g.lineTo(cx + uy * half, cy - ux * half);
      g.lineTo(ax + uy * half, ay - ux * half);
      g.closePath();
    },
    ring(g, k, color, width) {
      if (Number.isNaN(this.s.lines[4 * k])) return;
      g.beginPath();
      this.arrow(g, k, 1.6);
      g.strokeStyle = color; g.lineWidth = width;
      g.stroke();
    },
    hatch(g, list) {
      if (!list.length) return;
      const s = this.s;
      if (!s.hatch || s.hatchDark !== s.dark) {
        const tile = document.createElement("canvas");
        tile.width = tile.height = 5;
        const t = tile.getContext("2d");
        t.strokeStyle = s.tone.dead; t.lineWidth = 1.2;
        t.beginPath(); t.moveTo(0, 5); t.lineTo(5, 0); t.stroke();
        s.hatch = g.createPattern(tile, "repeat"); s.hatchDark = s.dark;
      }
      g.fillStyle = s.hatch; g.strokeStyle = s.tone.dead; g.lineWidth = 0.6;
      g.beginPath();
      for (const k of list) this.arrow(g, k, 0);
      g.fill(); g.stroke();
    },
    dashes(g, list) {
      const s = this.s;
      g.strokeStyle = s.tone.dead; g.lineWidth = 2; g.setLineDash([5, 4]);
      g.beginPath();
      for (const k of list) {
        g.moveTo(s.lines[4 * k], s.lines[4 * k + 1]); g.lineTo(s.lines[4 * k + 2], s.lines[4 * k + 3]);
      }
      g.stroke(); g.setLineDash([]);
      g.strokeStyle = s.dark ? "#ff8a80" : "#b3261e";
      g.beginPath();
      for (const k of list) {
        const x = s.lines[4 * k + 2], y = s.lines[4 * k + 3], r = 5;
        g.moveTo(x - r, y - r); g.lineTo(x + r, y + r); g.moveTo(x + r, y - r); g.lineTo(x - r, y + r);
      }
      g.stroke();
    },

    drawNodes(g, w, h) {
      const s = this.s;
      const dot = (x, y, r, fill, line) => {
        g.beginPath(); g.arc(x, y, r, 0, 7); g.fillStyle = fill; g.fill();
        g.lineWidth = 1.4; g.strokeStyle = line; g.stroke();
      };
      if (s.groups) {
        g.font = "600 10px system-ui, sans-serif"; g.textAlign = "center"; g.textBaseline = "middle";
        for (const one of s.groups) {
          if (one.x < -20 || one.x > w + 20 || one.y < -20 || one.y > h + 20) continue;
          if (one.kind === "node") { dot(one.x, one.y, 3.2, s.tone.paper, s.tone.ink); continue; }
          dot(one.x, one.y, one.r, s.tone.paper, one.worst >= 0 ? s.palette[one.worst] : s.tone.soft);
          g.fillStyle = s.tone.ink; g.fillText(String(one.count), one.x, one.y + 0.5);
        }
        return;
      }
      const r = s.map.nodes.length > 120 ? 3 : 4.6;
      for (let i = 0; i < s.map.nodes.length; i++) {
        const [x, y] = this.place(s.map.nodes[i]);
        if (x < -20 || x > w + 20 || y < -20 || y > h + 20) continue;
        const dead = s.node && s.node[i] & DOWN;
        dot(x, y, r, dead ? s.tone.dead : s.tone.paper, s.tone.ink);
        if (s.chosen?.kind === "node" && s.chosen.index === i) {
          g.beginPath(); g.arc(x, y, r + 4, 0, 7); g.lineWidth = 2.4; g.strokeStyle = s.tone.ring; g.stroke();
        }
      }
    },

    // by importance as room allows: hot links, then names of nodes, then the other links
    labels(g, w, h) {
      const s = this.s, taken = [], nodes = s.map.nodes, links = s.map.links;
      const free = (x, y, wide, high) => {
        if (x < 0 || y < 0 || x + wide > w || y + high > h) return false;
        for (const t of taken) {
          if (x < t[0] + t[2] && t[0] < x + wide && y < t[1] + t[3] && t[1] < y + high) return false;
        }
        return true;
      };
      const write = (text, x, y, wide, color, bold) => {
        taken.push([x, y, wide, LABEL_H]);
        g.font = `${bold ? 600 : 400} 11px system-ui, sans-serif`;
        g.textAlign = "left"; g.textBaseline = "top";
        g.fillStyle = s.tone.halo; g.fillRect(x - 1, y, wide + 2, LABEL_H);
        g.fillStyle = color; g.fillText(text, x, y + 1);
      };
      if (!s.groups) {
        for (let i = 0; i < nodes.length; i++) {
          const [x, y] = this.place(nodes[i]);
          taken.push([x - 5, y - 5, 10, 10]);
        }
      }
      const order = (s.order ?? []).filter((k) => !Number.isNaN(s.lines[4 * k]));
      const width = (text, font) => {
        const key = font + text;
        let found = s.widths.get(key);
        if (found === undefined) {
          if (s.widths.size > 20000) s.widths.clear();
          g.font = font;
          found = g.measureText(text).width;
          s.widths.set(key, found);
        }
        return found;
      };
      const BOLD = "600 11px system-ui, sans-serif", PLAIN = "400 11px system-ui, sans-serif";
      const hot = order.slice(0, 40).filter((k) => s.color && s.color[k] >= 5);
      const numbers = (list, most) => {
        let written = 0, tried = 0;
        for (const k of list) {
          if (written >= most || ++tried > 8 * most) break;
          const text = this.number(k);
          if (!text) continue;
          const o = 4 * k, wide = width(text, BOLD);
          const dx = s.lines[o + 2] - s.lines[o], dy = s.lines[o + 3] - s.lines[o + 1];
          if (Math.hypot(dx, dy) < 22) continue;
          for (const t of [0.55, 0.35, 0.8]) {
            const x = s.lines[o] + t * dx - wide / 2, y = s.lines[o + 1] + t * dy - LABEL_H / 2;
            if (free(x, y, wide, LABEL_H)) { write(text, x, y, wide, s.tone.ink, true); written++; break; }
          }
        }
      };
      numbers(hot, 25);
      if (!s.groups) {
        const names = s.map.byNear;
        let written = 0;
        for (const i of names) {
          if (written > 160) break;
          const [x, y] = this.place(nodes[i]);
          if (x < 0 || y < 0 || x > w || y > h) continue;
          const text = s.map.names[i], wide = width(text, PLAIN);
          for (const [dx, dy] of [[8, -6], [-wide - 8, -6], [-wide / 2, 8], [-wide / 2, -21], [8, 5], [8, -18]]) {
            if (free(x + dx, y + dy, wide, LABEL_H)) {
              write(text, x + dx, y + dy, wide, s.tone.soft, false); written++; break;
            }
          }
        }
      }
      numbers(order, links.length > 400 ? 60 : 90);
    },
  },
};

const fade = (key) => (key >= 100 ? key - 200 : key);

function unpacked(data) {
  const lines = (list) => list.map((flat) => {
    const points = new Float32Array(flat.length);
    let x = 0, y = 0, west = 400, east = -400, south = 100, north = -100;
    for (let i = 0; i < flat.length; i += 2) {
      x += flat[i]; y += flat[i + 1];
      const lon = x * OUTLINE_UNIT, lat = y * OUTLINE_UNIT;
      points[i] = lon; points[i + 1] = lat;
      west = Math.min(west, lon); east = Math.max(east, lon);
      south = Math.min(south, lat); north = Math.max(north, lat);
    }
    return { points, west, east, south, north };
  });
  return { land: lines(data.land), borders: lines(data.borders) };
}
