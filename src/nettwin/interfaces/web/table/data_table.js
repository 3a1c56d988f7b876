// A table: worst first, ten rows until all are asked for; sorted, filtered and saved as CSV here.
export default {
  template: `
    <div class="nt-table">
      <div class="nt-table-head">
        <slot name="head"></slot>
        <input v-if="rows.length > 10" v-model="filter" type="search" :aria-label="'Filter ' + label"
          placeholder="Filter">
        <span class="soft" role="status">{{ count }}</span>
        <span class="grow"></span>
        <button v-if="rows.length" type="button" @click="csv" :aria-label="'Save ' + label + ' as CSV'">CSV</button>
      </div>
      <div class="nt-table-scroll" tabindex="0" role="region" :aria-label="label">
        <table>
          <caption class="sr">{{ label }}</caption>
          <thead><tr>
            <th v-for="c in columns" :key="c.name" :class="{n: c.number}" scope="col"
              :aria-sort="sort === c.name ? (down ? 'descending' : 'ascending') : 'none'">
              <button type="button" @click="by(c)" :title="c.help || ''">{{ c.title }}<span
                v-if="sort === c.name" aria-hidden="true">{{ down ? " ▾" : " ▴" }}</span></button>
            </th>
          </tr></thead>
          <tbody>
            <tr v-for="r in shown" :key="r.key" :class="{chosen: r.key === chosen}">
              <td v-for="(c, i) in columns" :key="c.name" :class="{n: c.number, cellbar: c.bar}">
                <i v-if="c.bar && r[c.name + '_bar'] > 0" :style="{width: Math.min(100, r[c.name + '_bar']) + '%'}"></i>
                <button v-if="c.pick" type="button" class="link" @click="$emit('pick', r.key)">{{ text(r, c) }}</button>
                <span v-else :class="r[c.name + '_class'] || ''">{{ text(r, c) }}</span>
                <span v-if="r[c.name + '_range']" class="range">{{ r[c.name + '_range'] }}</span>
                <span v-if="r[c.name + '_mark']" class="warn" tabindex="0" :title="r[c.name + '_mark']"
                  role="img" :aria-label="r[c.name + '_mark']"> ?</span>
              </td>
            </tr>
            <tr v-if="!shown.length"><td :colspan="columns.length" class="soft">{{ rows.length ? "No row fits the filter." : empty }}</td></tr>
          </tbody>
        </table>
      </div>
      <button v-if="found.length > shown.length" type="button" class="plain" style="margin-top:6px" @click="all = true">
        Show all {{ found.length }}</button>
    </div>`,
  props: { columns: Array, rows: Array, label: String, empty: String, few: Number, file: String },
  data() { return { filter: "", sort: "", down: true, all: false, chosen: null }; },
  computed: {
    found() {
      const words = this.filter.trim().toLowerCase();
      let rows = this.rows;
      if (words) rows = rows.filter((r) => this.columns.some((c) => this.text(r, c).toLowerCase().includes(words)));
      if (this.sort) {
        const value = (r) => r[this.sort + "_sort"] ?? r[this.sort];
        rows = [...rows].sort((a, b) => order(value(a), value(b)) * (this.down ? -1 : 1));
      }
      return rows;
    },
    shown() { return this.all ? this.found.slice(0, 2000) : this.found.slice(0, this.few); },
    count() {
      const n = this.found.length, all = this.rows.length;
      if (!all) return "";
      return n === all ? `${all} ${all === 1 ? "row" : "rows"}` : `${n} of ${all} rows`;
    },
  },
  methods: {
    text(r, c) {
      const v = r[c.name];
      // a line breaks after an arrow in a name, not within
      return v === null || v === undefined ? "–" : String(v).replaceAll("->", "-\u2060>\u200b");
    },
    by(c) {
      if (this.sort === c.name) this.down = !this.down;
      else { this.sort = c.name; this.down = !!c.number; }
    },
    choose(key) { this.chosen = key; },
    csv() {
      // a cell that a spreadsheet would take for a formula is made text
      const safe = (v) => {
        const text = String(v ?? "");
        const plain = /^[=+\-@\t\r]/.test(text) && !/^-?[\d.]+(e[+-]?\d+)?$/i.test(text) ? "'" + text : text;
        return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
      };
      const lines = [this.columns.map((c) => safe(c.title)).join(",")];
      for (const r of this.found) lines.push(this.columns.map((c) => safe(r[c.name + "_sort"] ?? r[c.name])).join(","));
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
      link.download = (this.file || "table") + ".csv";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    },
  },
};

function order(a, b) {
  const none = (v) => v === null || v === undefined || Number.isNaN(v);
  if (none(a) || none(b)) return none(a) - none(b);
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
}
